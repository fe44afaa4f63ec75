// CONVERT and UID CONVERT. RFC 5259 §6.
import { command } from '../command.ts'
import { parseConvertItems, parseConvertParams } from '../convert/convert-items.ts'
import { runConvert } from '../convert/run-convert.ts'

export const convert = command({
  name: 'CONVERT',
  state: 'selected',
  uid: 'also',
  // RFC 5259 §6: EXPUNGE waits for CONVERT and not for UID CONVERT.
  sequence: 'uses',
  parse(parser, { tag }) {
    parser.sp()
    const set = parser.sequenceSet()
    parser.sp()
    const wish = parseConvertParams(parser)
    parser.sp()
    return { tag, set, wish, ...parseConvertItems(parser, wish) }
  },
  run: runConvert,
})
