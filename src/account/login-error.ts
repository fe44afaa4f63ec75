// Why a log-in was refused, in codes that each protocol translates into its own words.

export type LoginErrorCode =
  /** Unknown name, wrong password, disabled account: one answer for all, so that names cannot be probed. */
  | 'bad-credentials'
  /** Too many failures lately from this network or for this account: temporary. */
  | 'limited'
  /** The account that an administrator would act for is disabled. Its owner is told `bad-credentials`. */
  | 'disabled'
  /** This mechanism would show the password to whoever listens: TLS first. */
  | 'needs-tls'
  /** The client gave up (`*`) or the connection ended. */
  | 'cancelled'
  /** Not what the mechanism's grammar allows. */
  | 'malformed'
  /** The directory or the key server cannot be asked now: temporary. */
  | 'unavailable'
  | 'unknown-mechanism'
  /** The credential is right but not for this service. */
  | 'scope'
  /** The account has as many sessions as it may. */
  | 'too-many-sessions'

/** Thrown by `Login` and `authenticate`. Its message is for a log and never holds a secret; give the peer the code in your own words. */
export class LoginError extends Error {
  readonly code: LoginErrorCode

  constructor(code: LoginErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'LoginError'
    this.code = code
  }
}
