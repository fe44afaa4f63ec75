// What a client is told without asking: changes of the selected mailbox, of annotations, and what NOTIFY asks for. RFC 9051 §5.2; RFC 5464 §4.4;
// RFC 5465; RFC 2180 §3.3.
import { StoreError } from '../store/error.ts'
import { breatheWriting } from './breaths.ts'
import { ImapError } from './error.ts'
import { writeMessages } from './fetch/write-messages.ts'
import type { MailboxView, SyncStyle } from './mailbox-view.ts'
import type { SelectedEvents } from './notify/notify-spec.ts'
import type { Session } from './session.ts'
import { syncStyle } from './sync-style.ts'

/** Tells all that is new. A selected mailbox that is gone ends the session (RFC 2180 §3.3). */
export async function tellNews(session: Session, mayExpunge: boolean): Promise<void> {
  // After the farewell there is nobody to tell.
  if (session.state.kind === 'logout') return
  await tellSelected(session, mayExpunge)
  const { metadataNews, notifications } = session
  if (metadataNews) {
    await metadataNews.tell(
      name =>
        session.has(name === null ? 'METADATA-SERVER' : 'METADATA') ||
        (notifications?.wantsMetadata(name) ?? false),
    )
  }
  if (notifications) await notifications.tell()
}

/** Wakes the connection when there may be news, of the own account and of who owns the selected mailbox, until the function it returns is called. */
export function watchNews({ store, connection, account, state }: Session): () => void {
  const wake = () => connection.wake()
  const stop = store.watch(account, wake)
  const owner = state.kind === 'selected' ? state.view.mailbox.account : account
  if (owner === account) return stop
  const stopToo = store.watch(owner, wake)
  return () => {
    stop()
    stopToo()
  }
}

/** Tells what has changed in the selected mailbox, bit by bit where it is much. Throws `StoreError` `no-such-mailbox`. */
export function syncSelected(
  session: Session,
  view: MailboxView,
  mayExpunge: boolean,
  style: SyncStyle = syncStyle(session),
): Promise<void> {
  return view.sync(session.out, style, mayExpunge, () => breatheWriting(session))
}

async function tellSelected(session: Session, mayExpunge: boolean): Promise<void> {
  if (session.state.kind !== 'selected') return
  const { view } = session.state
  const { notifications } = session
  try {
    await tellChanges()
    const flags = view.takeNewPermanentFlags()
    if (flags !== undefined) session.say(`PERMANENTFLAGS (${flags})`, 'These can be changed')
  } catch (error) {
    if (error instanceof StoreError && error.code === 'no-such-mailbox') {
      throw new ImapError('BYE', undefined, 'The selected mailbox is gone')
    }
    throw error
  }

  async function tellChanges(): Promise<void> {
    if (!notifications) {
      await syncSelected(session, view, mayExpunge)
      await view.annotations.tell(session, view.annotations.isAsked, false)
    }
    // RFC 5465 §3.1: after NOTIFY only what it asks for.
    else if (notifications.selected?.messages)
      await tellByNotify(session, view, notifications.selected, mayExpunge)
    // Nothing is told, but who may not read any more has nothing selected.
    else if (view.isGuest) await view.refresh()
  }
}

/** RFC 5465 §5.1, §5.2: flags with UIDs, and what the client wants to know of new messages. */
async function tellByNotify(
  session: Session,
  view: MailboxView,
  { flags, annotations, items }: SelectedEvents,
  mayExpunge: boolean,
): Promise<void> {
  const knownUid = view.lastUid
  const style = { ...syncStyle(session), flags, uid: true }
  await syncSelected(session, view, mayExpunge, style)
  await view.annotations.tell(session, annotations, true)
  if (items.length === 0 || view.lastUid === knownUid) return
  const added = view.select({ kind: 'ranges', ranges: [[knownUid + 1, view.lastUid]] }, true)
  const uids = Array.from(added.uids).filter(uid => !session.notifications?.isOwn(view.mailbox, uid))
  await writeMessages(session, uids, items)
}
