// Annotations of messages as they travel between IMAP and the store. RFC 5257 §3.

/** One value of one entry; null removes it. */
export interface MessageAnnotation {
  /** `/comment`; case matters. */
  readonly entry: string
  /** For all who see the message, or for the account that sets it alone. */
  readonly isShared: boolean
  readonly value: Uint8Array | null
}
