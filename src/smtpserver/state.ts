// Where a session stands. RFC 5321 §3, §4.1.4.
import type { Identity } from '../account/identity.ts'
import type { Addressee } from '../delivery/letter.ts'
import type { Mailbox } from '../smtp/mailbox.ts'
import type { MailParameters } from '../smtp/parameters.ts'
import type { Intake } from './intake.ts'

export interface Greeting {
  /** What the client calls itself. */
  readonly helo: string
  readonly protocol: 'smtp' | 'esmtp' | 'lmtp'
}

/** One mail transaction, RFC 5321 §3.3. */
export interface Transaction {
  /** Names it in the log and in Received. */
  readonly id: string
  /** Undefined for the null reverse-path. */
  readonly mailFrom: Mailbox | undefined
  readonly parameters: MailParameters
  readonly recipients: Addressee[]
}

export type SessionState =
  /** Nothing was said, or TLS has just begun. */
  | { readonly state: 'connected' }
  | { readonly state: 'idle'; readonly greeting: Greeting; readonly identity: Identity | undefined }
  /** After MAIL. */
  | {
      readonly state: 'mail'
      readonly greeting: Greeting
      readonly identity: Identity | undefined
      readonly transaction: Transaction
    }
  /** After a first BDAT: only BDAT and RSET go on with it (RFC 3030 §2). Without an intake a chunk has failed. */
  | {
      readonly state: 'chunking'
      readonly greeting: Greeting
      readonly identity: Identity | undefined
      readonly transaction: Transaction
      readonly intake: Intake | undefined
    }

export type StateName = SessionState['state']
