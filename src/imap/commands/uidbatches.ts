// UIDBATCHES: ranges of UIDs with so many messages each, so that a client can work through a large mailbox in even steps. RFC 10022, from knowledge of it.
import { inStretches } from '../../base/breathe.ts'
import { writeInPieces } from '../breaths.ts'
import { command } from '../command.ts'
import { bad } from '../error.ts'

export const uidBatches = command({
  name: 'UIDBATCHES',
  state: 'selected',
  parse(parser, { tag }) {
    parser.sp()
    const size = parser.nzNumber()
    if (!parser.moreAfterSpace()) return { tag, size, range: undefined }
    const first = parser.nzNumber()
    parser.expect(':')
    const last = parser.nzNumber()
    if (last < first) throw bad('the batches are counted upwards')
    return { tag, size, range: { first, last } }
  },
  async run(session, { tag, size, range }) {
    const { view, out } = session
    const count = Math.ceil(view.count / size)
    const first = range?.first ?? 1
    const last = Math.min(range?.last ?? count, count)
    await writeInPieces(session, async breathe => {
      out.ascii(`* UIDBATCHES (TAG "${tag}")`)
      // The newest first: batch 1 ends with the last message, and a batch reaches down to its own lowest UID.
      await inStretches(last + 1 - first, breathe, (from, to) => {
        for (let batch = first + from; batch < first + to; batch++) {
          const high = view.count - (batch - 1) * size
          const low = Math.max(high - size + 1, 1)
          out
            .ascii(batch === first ? ' ' : ',')
            .number(view.uidOf(high))
            .byte(0x3a)
            .number(view.uidOf(low))
        }
      })
      out.crlf()
    })
  },
})
