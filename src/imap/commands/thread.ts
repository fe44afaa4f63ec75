// THREAD and UID THREAD. RFC 5256 §3, §5.
import { command, type ParseContext } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parseCharsetProgram } from '../search/arguments.ts'
import { runThread, threadAlgorithms, type ThreadArgs } from '../thread/run-thread.ts'

export const thread = command({
  name: 'THREAD',
  state: 'selected',
  uid: 'also',
  // RFC 5256 §3: EXPUNGE waits for THREAD and not for UID THREAD, but where its keys speak of numbers.
  sequence: (args, isUid) => !isUid || args.usesNumbers,
  reportsProgress: true,
  parse: parseThread,
  run: runThread,
})

function parseThread(parser: Parser, context: ParseContext): ThreadArgs {
  parser.sp()
  const name = parser.keyword()
  const algorithm = threadAlgorithms.find(one => one === name)
  if (algorithm === undefined) throw bad('there is no such threading algorithm')
  parser.sp()
  return { algorithm, ...parseCharsetProgram(parser, context) }
}
