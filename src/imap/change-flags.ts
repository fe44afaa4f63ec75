// Changes flags of the selected mailbox as the session may: the owner all of them, a guest his own \Seen and what he has rights for. RFC 4314 §4.
import type { MutationArgs, MutationResult } from '../store/mutations.ts'
import type { Session } from './session.ts'

export type FlagsChanged = MutationResult<'storeFlags'>

/** Asks the store for the change. */
export function beginFlagChange(
  { view, store, account: guest }: Session,
  asked: Omit<MutationArgs<'storeFlags'>, 'account' | 'mailbox' | 'keeps' | 'knownTo'>,
): Promise<FlagsChanged> {
  const { account, id: mailbox } = view.mailbox
  const change = { ...asked, account, mailbox, knownTo: view.knownFlags }
  return view.isGuest
    ? store.mutate('storeGuestFlags', { ...change, guest })
    : store.mutate('storeFlags', change)
}

/** Keeps the next sync from telling the client what it did itself. `isSilent`: its answer does not tell the flags. */
export async function finishFlagChange(
  { view }: Session,
  { modSeq, changed, surprising }: FlagsChanged,
  isSilent: boolean,
): Promise<void> {
  // Where nothing changed it is another's modSeq.
  if (changed.length > 0) view.silence(modSeq, changed, isSilent ? surprising : [])
  await view.refresh()
}
