// Leaves the selected mailbox. RFC 9051 §6.4.1, §6.4.2.
import { StoreError } from '../store/error.ts'
import type { Session } from './session.ts'

/** Goes back to the authenticated state, expunging nothing. What this session was shown as recent is no longer so to later ones (RFC 3501 §2.3.2). */
export async function deselect(session: Session): Promise<void> {
  if (session.state.kind !== 'selected') return
  const { identity, view } = session.state
  session.state = { kind: 'authenticated', identity }
  // What is \Recent is between the owner's sessions.
  if (view.isReadOnly || view.isGuest || !view.hasToldNewMail) return
  try {
    await session.store.mutate('claimRecent', { account: view.mailbox.account, mailbox: view.mailbox.id })
  } catch (error) {
    // The mailbox or the account is gone, or the store is closing: nothing to claim.
    if (!(error instanceof StoreError)) throw error
  }
}
