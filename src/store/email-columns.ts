// What the store keeps of an email besides its body, worked out once when it arrives (`message/summary.ts`).

export interface EmailColumns {
  readonly sizeBytes: number
  /** Of the header with the empty line that ends it. */
  readonly headerBytes: number
  /** The Date field, milliseconds since 1970. */
  readonly sentAt: number | undefined
  /** Without angle brackets; '' when missing. */
  readonly messageId: string
  /** Message-Ids from References and In-Reply-To, without angle brackets, oldest first. */
  readonly referenceIds: readonly string[]
  /** RFC 5256 §2.1. */
  readonly baseSubject: string
  readonly subject: string
  readonly sortFrom: string
  readonly sortTo: string
  readonly sortCc: string
  readonly displayFrom: string
  readonly displayTo: string
  readonly preview: string
  readonly hasAttachment: boolean
  readonly envelope: Uint8Array
  readonly bodyStructure: Uint8Array
  readonly parts: Uint8Array
}
