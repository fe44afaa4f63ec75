// COPY and UID COPY. RFC 9051 §6.4.7; COPYUID of RFC 4315.
import type { MutationResult } from '../../store/mutations.ts'
import { afterChange, command, type ParseContext } from '../command.ts'
import { no } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { getTarget } from '../mailbox-access.ts'
import { assertMayCopy } from '../message-limit.ts'
import type { Notifications } from '../notify/notifications.ts'
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
  async begin(session, args, isUid) {
    const change = await beginTransfer(session, 'copyMessages', args, isUid)
    return change ? afterChange(change.code, code => ({ code })) : () => {}
  },
})

export function parseTransfer(parser: Parser, context: ParseContext): TransferArgs {
  parser.sp()
  const set = parser.sequenceSet()
  parser.sp()
  return { set, target: mailboxName(parser, context) }
}

/** Asks for the copy or move, which gives COPYUID; undefined where there is nothing to do. All or nothing (RFC 9051 §6.4.7). */
export async function beginTransfer(
  session: Session,
  name: 'copyMessages' | 'moveMessages',
  { set, target }: TransferArgs,
  isUid: boolean,
): Promise<{ readonly code: Promise<string> } | undefined> {
  const { store, view } = session
  const { count, uids } = view.select(set, isUid)
  const row = await getTarget(session, target)
  if (count === 0) return undefined
  if (name === 'copyMessages') assertMayCopy(session, uids)
  const change = store.mutate(name, {
    account: view.mailbox.account,
    mailbox: view.mailbox.id,
    uids: uidRanges(uids),
    target: row.id,
    viewer: session.account,
  })
  return { code: change.then(result => copyUid(session, row, result)) }
}

function copyUid(
  session: Session,
  target: Parameters<Notifications['ignoreMessages']>[0],
  { uidValidity, sourceUids, targetUids }: MutationResult<'copyMessages'>,
): string {
  // Expunged meanwhile by another session: what is left was copied (RFC 2180 §4.4.1).
  if (sourceUids.length === 0) throw no('EXPUNGEISSUED', 'The messages are gone')
  session.notifications?.ignoreMessages(target, targetUids)
  return `COPYUID ${uidValidity} ${formatNumbers(sourceUids)} ${formatNumbers(targetUids)}`
}
