// What a reply means for a recipient. RFC 5321 §4.2.1, §4.5.3.1.10; RFC 3463.
import type { ReceivedReply } from '../smtp/reply.ts'
import { limits } from '../base/limits.ts'
import type { Verdict } from './outgoing.ts'

export type Step = 'greeting' | 'hello' | 'tls' | 'auth' | 'mail' | 'rcpt' | 'data' | 'end'

export function verdictOf(reply: ReceivedReply, step: Step, host: string): Verdict {
  return {
    kind: kindOf(reply, step),
    code: reply.code,
    status: reply.status ?? `${Math.floor(reply.code / 100)}.0.0`,
    // A server may say a log-in back to us, and what it says is logged, stored and mailed.
    text: step === 'auth' ? 'The log-in was refused' : cleanText(reply.lines),
    host,
  }
}

function kindOf({ code, status }: ReceivedReply, step: Step): Verdict['kind'] {
  if (code >= 200 && code < 300) return 'delivered'
  if (code < 500) return 'later'
  // RFC 5321 §4.5.3.1.10: servers that say 552 for too many recipients mean 452.
  if (step === 'rcpt' && code === 552 && (status === undefined || status === '5.5.3')) return 'later'
  // The server refuses us, not the message: another server of the domain, or another day, may not.
  if (step === 'greeting' || step === 'hello' || step === 'tls' || step === 'auth') return 'later'
  return 'failed'
}

/** The text on one line, printable ASCII, bounded. */
export function cleanText(lines: readonly string[]): string {
  return lines
    .join(' ')
    .replaceAll(/[^\x20-\x7e]+/g, '?')
    .slice(0, limits.smtp.keptReplyBytes)
}
