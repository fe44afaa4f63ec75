// What a client is given to send, and what it says of each recipient. RFC 5321 §3.3; RFC 3461.
import type { BodyType } from '../smtp/parameters.ts'

export interface OutgoingRecipient {
  /** A mailbox as SMTP writes it. */
  readonly address: string
  /** RFC 3461 §4.1: events with commas; '' for NEVER, undefined when nothing was asked for. */
  readonly notify?: string | undefined
  /** ORCPT as it came. */
  readonly originalRecipient?: string | undefined
}

export interface OutgoingMessage {
  /** A mailbox as SMTP writes it; '' for the null reverse-path. */
  readonly mailFrom: string
  readonly bodyType: BodyType
  /** A header field holds more than ASCII, and the sender knew of SMTPUTF8. */
  readonly smtpUtf8: boolean
  readonly ret?: 'FULL' | 'HDRS' | undefined
  readonly envelopeId?: string | undefined
  readonly sizeBytes: number
  /** The content in pieces, as often as it is asked for. */
  readonly read: () => AsyncIterable<Buffer>
}

/** What a server, or the way to it, said. */
export interface Verdict {
  readonly kind: 'delivered' | 'later' | 'failed'
  /** The SMTP code; 0 where no server spoke. */
  readonly code: number
  /** `4.4.1`; made of the code where the server gave none. */
  readonly status: string
  readonly text: string
  /** The host that spoke, '' for us. */
  readonly host: string
  /** The server took over the sender's wishes for reports (RFC 3461 §5.2.1). */
  readonly hasDsn?: boolean
  /** The connection was lost after all was said and before the server confirmed it. */
  readonly mayHaveArrived?: boolean
}
