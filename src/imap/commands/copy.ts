// COPY and UID COPY. RFC 9051 §6.4.7; COPYUID of RFC 4315.
import { command, type ParseContext } from '../command.ts'
import { no } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { getTarget } from '../mailbox-access.ts'
import { assertMayCopy } from '../message-limit.ts'
import { formatNumbers, type SequenceSet } from '../sequence-set.ts'
import type { Session } from '../session.ts'
import { mailboxName, uidRanges } from './arguments.ts'

export interface TransferArgs {
  readonly set: SequenceSet
  readonly target: string
}

export const copy = command({
  name: 'COPY',
  state: 'selected',
  uid: 'also',
  sequence: 'uses',
  reportsProgress: true,
  parse: parseTransfer,
  async run(session, args, isUid) {
    const code = await transfer(session, 'copyMessages', args, isUid)
    return { code }
  },
})

export function parseTransfer(parser: Parser, context: ParseContext): TransferArgs {
  parser.sp()
  const set = parser.sequenceSet()
  parser.sp()
  return { set, target: mailboxName(parser, context) }
}

/** Copies or moves; gives COPYUID, or undefined where there was nothing to do. All or nothing (RFC 9051 §6.4.7). */
export async function transfer(
  session: Session,
  name: 'copyMessages' | 'moveMessages',
  { set, target }: TransferArgs,
  isUid: boolean,
): Promise<string | undefined> {
  const { store, view } = session
  const { count, uids } = view.select(set, isUid)
  const row = await getTarget(session, target)
  if (count === 0) return undefined
  if (name === 'copyMessages') assertMayCopy(session, uids)
  const result = await store.mutate(name, {
    account: view.mailbox.account,
    mailbox: view.mailbox.id,
    uids: uidRanges(uids),
    target: row.id,
    viewer: session.account,
  })
  // Expunged meanwhile by another session: what is left was copied (RFC 2180 §4.4.1).
  if (result.sourceUids.length === 0) throw no('EXPUNGEISSUED', 'The messages are gone')
  session.notifications?.ignoreMessages(row, result.targetUids)
  return `COPYUID ${result.uidValidity} ${formatNumbers(result.sourceUids)} ${formatNumbers(result.targetUids)}`
}
