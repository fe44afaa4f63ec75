// What the directory refuses before it asks the store, in codes for the command line and the administration.

export type DirectoryErrorCode =
  | 'invalid-address'
  | 'invalid-password'
  | 'invalid-name'
  | 'invalid-scope'
  /** The configuration does not allow it (`login.sharedSecrets`). */
  | 'not-allowed'

export class DirectoryError extends Error {
  readonly code: DirectoryErrorCode

  constructor(code: DirectoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DirectoryError'
    this.code = code
  }
}
