// What a store refuses, in codes that each protocol translates into its own words.

export type StoreErrorCode =
  | 'no-such-account'
  | 'no-such-mailbox'
  | 'no-such-message'
  | 'no-such-body'
  | 'mailbox-exists'
  | 'mailbox-has-children'
  | 'invalid-name'
  | 'special-use-taken'
  | 'over-quota'
  | 'too-many'
  | 'exists'
  | 'not-found'
  /** Something else still needs it. */
  | 'in-use'
  /** An alias that would lead to itself. */
  | 'loop'
  /** The disk is full: temporary. */
  | 'disk-full'
  /** The store is closing, restarting or out of reach: temporary. */
  | 'unavailable'
  /** What was read is not what was written. */
  | 'corrupt'

export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}
