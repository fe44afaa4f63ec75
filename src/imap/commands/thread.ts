// THREAD and UID THREAD. RFC 5256 §3, §5.
import { type ParseContext, resolvedCommand } from '../command.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { parseCharsetProgram, resolveProgram, type WrittenProgram } from '../search/arguments.ts'
import { runThread, type ThreadAlgorithm, threadAlgorithms } from '../thread/run-thread.ts'

interface WrittenThread extends WrittenProgram {
  readonly algorithm: ThreadAlgorithm
}

export const thread = resolvedCommand({
  name: 'THREAD',
  state: 'selected',
  uid: 'also',
  // RFC 5256 §3: EXPUNGE waits for THREAD and not for UID THREAD, but where its keys speak of numbers.
  sequence: (args, isUid) => !isUid || args.usesNumbers,
  reportsProgress: true,
  parse: parseThread,
  resolve: resolveProgram,
  run: runThread,
})

function parseThread(parser: Parser, context: ParseContext): WrittenThread {
  parser.sp()
  const name = parser.keyword()
  const algorithm = threadAlgorithms.find(one => one === name)
  if (algorithm === undefined) throw bad('there is no such threading algorithm')
  parser.sp()
  return { algorithm, ...parseCharsetProgram(parser, context) }
}
