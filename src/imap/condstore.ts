// Switching CONDSTORE on, by ENABLE or by a command that speaks of modSeqs. RFC 7162 §3.1, §3.1.1.
import type { Session } from './session.ts'

/** From here on FETCH carries MODSEQ. In a selected mailbox the client learns where it stands. */
export function enableCondstore(session: Session): void {
  if (session.has('CONDSTORE')) return
  session.switchOn('CONDSTORE')
  if (session.state.kind !== 'selected') return
  session.say(`HIGHESTMODSEQ ${session.state.view.toldModSeq}`, 'CONDSTORE is on')
}

/** ` [HIGHESTMODSEQ n]` for the tagged OK of a command that expunges, where the client resynchronises by it (RFC 7162 §3.2.4, §3.2.5). */
export function highestModSeqCode(session: Session): string | undefined {
  if (session.state.kind !== 'selected' || !session.has('CONDSTORE')) return undefined
  return `HIGHESTMODSEQ ${session.state.view.toldModSeq}`
}
