// From a log-in to the TRANSACTION state: lock, snapshot, answer. RFC 1939 §4; RFC 2449 §8.1.
import type { Identity } from '../account/identity.ts'
import { LoginError } from '../account/login-error.ts'
import type { AccountId, MailboxId, ModSeq } from '../base/ids.ts'
import { findMailbox } from '../store/read/mailboxes.ts'
import type { Store } from '../store/store.ts'
import { Pop3Error } from './error.ts'
import { Maildrop } from './maildrop.ts'
import type { Session } from './session.ts'

/**
 * Checks the credentials with `identify`, then locks and opens the maildrop and answers. Throws `Pop3Error`, with nothing locked
 * and the session in the AUTHORIZATION state.
 */
export async function openMaildrop(session: Session, identify: () => Promise<Identity>): Promise<void> {
  const { context, connection } = session
  session.state = { kind: 'authorization', user: undefined }
  const identity = await identified(identify)
  const lock = await context.maildropLocks.acquire(identity.account, context.config.pop3.loginDelaySeconds)
  if (lock.kind === 'in-use') throw new Pop3Error(texts => texts.inUse, { code: 'IN-USE' })
  if (lock.kind === 'too-soon') {
    const seconds = context.config.pop3.loginDelaySeconds
    throw new Pop3Error(texts => texts.loginDelay(seconds), { code: 'LOGIN-DELAY' })
  }
  let leave: (() => void) | undefined
  const release = () => {
    leave?.()
    return lock.release()
  }
  try {
    leave = await identified(async () => context.login.sessions.open(identity, connection))
    const { reader } = context.store
    const mailbox = await findMailbox(reader, identity.account, context.config.pop3.mailbox)
    if (!mailbox) throw new Pop3Error(texts => texts.noMaildrop, { code: 'SYS/PERM' })
    const maildrop = await readMaildrop(context.store, identity.account, mailbox.id, mailbox.modSeq)
    session.state = { kind: 'transaction', identity, maildrop, release }
    connection.setDeadline(context.config.pop3.idleTimeoutMs)
    session.ok(texts => texts.maildropHas(maildrop.count, maildrop.bytes))
  } catch (error) {
    await release()
    throw error
  }
}

/** The maildrop of a mailbox, as it is now or was at `atLeast`. */
export async function readMaildrop(
  store: Store,
  account: AccountId,
  mailbox: MailboxId,
  atLeast?: ModSeq,
): Promise<Maildrop> {
  const snapshot = await store.snapshot(account, mailbox, atLeast)
  return new Maildrop(snapshot)
}

/** Every reason for a refused log-in in POP3's words. RFC 3206 §4, §5. */
async function identified<T>(identify: () => Promise<T>): Promise<T> {
  try {
    return await identify()
  } catch (error) {
    if (!(error instanceof LoginError)) throw error
    switch (error.code) {
      case 'bad-credentials':
      case 'disabled':
        throw new Pop3Error(texts => texts.badCredentials, { code: 'AUTH', isBad: true, cause: error })
      case 'scope':
        throw new Pop3Error(texts => texts.notForPop3, { code: 'AUTH', isBad: true, cause: error })
      case 'needs-tls':
        throw new Pop3Error(texts => texts.tlsFirst, { isBad: true, cause: error })
      case 'limited':
        throw new Pop3Error(texts => texts.limited, { code: 'SYS/TEMP', isBad: true, cause: error })
      case 'unavailable':
        throw new Pop3Error(texts => texts.unavailable, { code: 'SYS/TEMP', cause: error })
      case 'too-many-sessions':
        throw new Pop3Error(texts => texts.tooManySessions, { code: 'SYS/TEMP', cause: error })
      case 'cancelled':
        throw new Pop3Error(texts => texts.cancelled, { isBad: true, cause: error })
      case 'malformed':
        throw new Pop3Error(texts => texts.malformed, { isBad: true, cause: error })
      case 'unknown-mechanism':
        throw new Pop3Error(texts => texts.unknownMechanism, { isBad: true, cause: error })
    }
  }
}
