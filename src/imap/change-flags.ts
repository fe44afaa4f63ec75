// Changes flags of the selected mailbox as the session may: the owner all of them, a guest his own \Seen and what he has rights for. RFC 4314 §4.
import type { MutationArgs, MutationResult } from '../store/mutations.ts'
import type { Session } from './session.ts'

export type FlagsChanged = MutationResult<'storeFlags'>

/** Asks the store for the change. */
export function beginFlagChange(
  { view, store, account: guest }: Session,
  change: Omit<MutationArgs<'storeFlags'>, 'account' | 'mailbox' | 'keeps'>,
): Promise<FlagsChanged> {
  const { account, id: mailbox } = view.mailbox
  return view.isGuest
    ? store.mutate('storeGuestFlags', { ...change, account, mailbox, guest })
    : store.mutate('storeFlags', { ...change, account, mailbox })
}

/** Keeps the next sync from telling the client what it did itself. */
export async function finishFlagChange({ view }: Session, { modSeq, changed }: FlagsChanged): Promise<void> {
  view.silence(changed, modSeq)
  await view.refresh()
}
