// What went wrong with a request over the control socket.

/** `code` is a `StoreErrorCode` where the store refused, else one of these. */
export class ControlError extends Error {
  readonly code: string

  constructor(
    code: 'unreachable' | 'unknown-operation' | 'failed' | (string & {}),
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ControlError'
    this.code = code
  }
}
