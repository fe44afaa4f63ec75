// How this session hears of changes, by what its client has switched on.
import type { SyncStyle } from './mailbox-view.ts'
import type { Session } from './session.ts'

export function syncStyle(session: Session): SyncStyle {
  return {
    modSeq: session.has('CONDSTORE'),
    // RFC 9586 §3: without message numbers there is no EXPUNGE.
    vanished: session.has('QRESYNC') || session.has('UIDONLY'),
    recent: !session.has('IMAP4REV2'),
    uid: false,
    flags: true,
    uidOnly: session.has('UIDONLY'),
  }
}
