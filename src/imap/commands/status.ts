// STATUS. RFC 9051 §6.3.11; DELETED-STORAGE of RFC 9208 §4.1.4; SIZE of RFC 8438; HIGHESTMODSEQ of RFC 7162 §3.1.7; MAILBOXID of RFC 8474 §4.3; APPENDLIMIT of RFC 7889 §4.
import type { Awaitable } from '../../base/awaitable.ts'
import { StoreError } from '../../store/error.ts'
import { breatheIn } from '../breaths.ts'
import { command } from '../command.ts'
import { enableCondstore } from '../condstore.ts'
import { deletedBytes } from '../deleted-messages.ts'
import { bad } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { getVisible, type VisibleMailbox } from '../mailbox-access.ts'
import { mailboxId } from '../object-id.ts'
import type { Session } from '../session.ts'
import { mailboxName } from './arguments.ts'

/** Each item and how it is answered. */
const items = new Map<string, (mailbox: VisibleMailbox, session: Session) => Awaitable<number | string>>([
  ['MESSAGES', mailbox => mailbox.total],
  ['UIDNEXT', mailbox => mailbox.uidNext],
  ['UIDVALIDITY', mailbox => mailbox.uidValidity],
  ['UNSEEN', mailbox => mailbox.unseen],
  ['DELETED', mailbox => mailbox.deleted],
  ['SIZE', mailbox => mailbox.sizeBytes],
  ['DELETED-STORAGE', (mailbox, session) => (mailbox.deleted === 0 ? 0 : deletedStorage(mailbox, session))],
  // RFC 3501 only: messages that came since the last session that was told.
  ['RECENT', mailbox => Math.min(mailbox.total, mailbox.uidNext - mailbox.recentUid)],
  ['HIGHESTMODSEQ', mailbox => mailbox.modSeq],
  [
    'MAILBOXID',
    ({ id, account }, session) => `(${mailboxId(id, account === session.account ? undefined : account)})`,
  ],
  ['APPENDLIMIT', (_mailbox, session) => session.context.config.imap.messageBytes],
])

export const status = command({
  name: 'STATUS',
  state: 'authenticated',
  parse(parser, context) {
    parser.sp()
    const name = mailboxName(parser, context)
    parser.sp()
    return { name, items: parseStatusItems(parser) }
  },
  async run(session, args) {
    const mailbox = await getVisible(session, args.name, 'STATUS')
    enableByStatus(session, args.items)
    await writeStatus(session, mailbox, args.items)
  },
})

/** `(MESSAGES UNSEEN …)`, also as LIST's return option. */
export function parseStatusItems(parser: Parser): readonly string[] {
  const names = parser.list(() => parser.keyword())
  if (names.length === 0) throw bad('STATUS takes at least one item')
  for (const name of names) if (!items.has(name)) throw bad(`there is no status item ${name}`)
  return [...new Set(names)]
}

async function deletedStorage({ account, id }: VisibleMailbox, session: Session): Promise<number> {
  try {
    return await deletedBytes(await session.store.snapshot(account, id), () => breatheIn(session))
  } catch (error) {
    // It is gone since it was listed.
    if (error instanceof StoreError && error.code === 'no-such-mailbox') return 0
    throw error
  }
}

/** Asking for HIGHESTMODSEQ switches CONDSTORE on (RFC 7162 §3.1). */
export function enableByStatus(session: Session, names: readonly string[]): void {
  if (names.includes('HIGHESTMODSEQ')) enableCondstore(session)
}

export async function writeStatus(
  session: Session,
  mailbox: VisibleMailbox,
  names: readonly string[],
): Promise<void> {
  const values: string[] = []
  for (const name of names) values.push(`${name} ${await items.get(name)?.(mailbox, session)}`)
  session.out.ascii('* STATUS ')
  session.writeMailbox(mailbox.name)
  session.out.line(` (${values.join(' ')})`)
}
