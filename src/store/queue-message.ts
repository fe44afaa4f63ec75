// What waits to be sent elsewhere, as mutations and reads carry it. RFC 5321 §4.5.4; RFC 3461.
import type { BlobHash } from '../base/ids.ts'
import type { BodyRef } from './store.ts'

/** Names a message in the queue; never used again. */
export type QueueId = number

export type QueueBodyType = '7BIT' | '8BITMIME' | 'BINARYMIME'

/** The envelope and what is done to the body on its way out. */
export interface QueueEnvelope {
  /** A mailbox as SMTP writes it; '' for the null reverse-path. */
  readonly mailFrom: string
  /** Bytes at the front of the body that are not sent (its Return-Path). */
  readonly skipBytes: number
  /** Header fields that are sent before the body, each with its CRLF. */
  readonly prefix: string
  readonly bodyType: QueueBodyType
  readonly smtpUtf8: boolean
  readonly ret: 'FULL' | 'HDRS' | null
  readonly envelopeId: string | null
  /** The account that submitted it; null for one that came from elsewhere or was made here. */
  readonly submitter: number | null
  /** Its Message-ID, for lists. */
  readonly messageId: string
  readonly expiresAt: number
}

export interface NewQueueMessage extends QueueEnvelope {
  readonly body: BodyRef
  readonly recipients: readonly NewQueueRecipient[]
}

export interface NewQueueRecipient {
  /** A mailbox as SMTP writes it. */
  readonly address: string
  /** Its domain in lower case as A-labels: what is routed and limited. */
  readonly domain: string
  /** RFC 3461 §4.1: the events, comma between; '' for NEVER, null when nothing was asked for. */
  readonly notify: string | null
  readonly originalRecipient: string | null
  /** When it is tried first. */
  readonly dueAt: number
}

/** Waiting and held recipients keep a message in the queue; the others are its history. */
export type QueueState = 'waiting' | 'held' | 'delivered' | 'failed' | 'dropped'

export interface QueueRecipient extends NewQueueRecipient {
  readonly id: number
  readonly state: QueueState
  readonly attempts: number
  /** Whether the sender was told of the delay. */
  readonly isDelayReported: boolean
  /** The last reply or error, undefined before the first attempt. */
  readonly last: QueueReply | undefined
}

/** What an attempt ended with. */
export interface QueueReply {
  /** The host that said it; '' for us. */
  readonly host: string
  /** The SMTP code; 0 where no server was reached. */
  readonly code: number
  /** The enhanced status (`4.4.1`). */
  readonly status: string
  readonly text: string
}

export interface QueueMessage extends QueueEnvelope {
  readonly id: QueueId
  readonly hash: BlobHash
  readonly bodyBytes: number
  readonly createdAt: number
  readonly recipients: readonly QueueRecipient[]
}
