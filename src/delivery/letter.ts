// A message with its envelope, on its way to mailboxes and the queue.
import type { Recipient } from '../account/resolve-recipient.ts'
import type { AccountId } from '../base/ids.ts'
import type { Mailbox } from '../smtp/mailbox.ts'
import type { BodyType, RcptParameters } from '../smtp/parameters.ts'
import type { SmtpReply } from '../smtp/reply.ts'
import type { BodyRef } from '../store/store.ts'

export interface Letter {
  /** Names the transaction in the log. */
  readonly id: string
  /** What is stored: begins with Return-Path (for final delivery, RFC 5321 §4.4), then our Received. */
  readonly body: BodyRef
  /** The bytes of `body`. */
  readonly bytes: Buffer
  /** Bytes of the Return-Path at the front, which does not travel on. */
  readonly returnPathBytes: number
  /** Undefined for the null reverse-path. */
  readonly mailFrom: Mailbox | undefined
  readonly bodyType: BodyType
  readonly smtpUtf8: boolean
  readonly ret: 'FULL' | 'HDRS' | undefined
  readonly envelopeId: string | undefined
  /** The account that submitted it. */
  readonly submitter: AccountId | undefined
}

/** One recipient and where the directory sends it. */
export interface Addressee extends RcptParameters {
  readonly recipient: Mailbox
  readonly resolved: Recipient
}

/** What became of one addressee. Accepted: we are responsible, whatever happens. */
export type Outcome = { readonly kind: 'accepted' } | { readonly kind: 'refused'; readonly reply: SmtpReply }
