// COPY and UID COPY. RFC 9051 §6.4.7; COPYUID of RFC 4315.
import type { MutationResult } from '../../store/mutations.ts'
import type { UidRanges } from '../../store/uid-ranges.ts'
import { breatheIn } from '../breaths.ts'
import { afterChange, command, type ParseContext } from '../command.ts'
import { no } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { getTarget, type MailboxKey } from '../mailbox-access.ts'
import { assertMayCopy } from '../message-limit.ts'
import { formatMany, type SequenceSet } from '../sequence-set.ts'
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
  isAmbiguous: ({ view }, { set }, isUid) => view.reachesNew(set, isUid),
  async begin(session, args, isUid) {
    const change = await beginTransfer(session, 'COPY', args, isUid)
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
  command: 'COPY' | 'MOVE',
  { set, target }: TransferArgs,
  isUid: boolean,
): Promise<{ readonly code: Promise<string> } | undefined> {
  const { view } = session
  const { count, uids } = view.select(set, isUid)
  const row = await getTarget(session, target, command)
  if (count === 0) return undefined
  if (command === 'COPY') assertMayCopy(session, uids)
  const change = store(session, row, command === 'MOVE', uidRanges(uids))
  return { code: change.then(result => copyUid(session, row, result)) }
}

async function copyUid(
  session: Session,
  target: MailboxKey,
  { uidValidity, sourceUids, targetUids }: MutationResult<'copyMessages'>,
): Promise<string> {
  // Expunged meanwhile by another session: what is left was copied (RFC 2180 §4.4.1).
  if (sourceUids.length === 0) throw no('EXPUNGEISSUED', 'The messages are gone')
  session.notifications?.ignoreMessages(target, targetUids)
  const breathe = () => breatheIn(session)
  const sources = await formatMany(sourceUids, breathe)
  return `COPYUID ${uidValidity} ${sources} ${await formatMany(targetUids, breathe)}`
}

function store(
  { account, store, view }: Session,
  target: MailboxKey,
  isMove: boolean,
  uids: UidRanges,
): Promise<MutationResult<'copyMessages'>> {
  const source = { account: view.mailbox.account, mailbox: view.mailbox.id }
  if (source.account === account && target.account === account)
    return store.mutate(isMove ? 'moveMessages' : 'copyMessages', { ...source, uids, target: target.id })
  return store.mutate('transferMessages', {
    actor: account,
    source,
    uids,
    target: { account: target.account, mailbox: target.id },
    isMove,
  })
}
