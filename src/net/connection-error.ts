// What can end a read or a wait on a connection, as coded errors.

export type ConnectionErrorCode =
  /** A line is longer than the reader allows; the line is still there: `skipLine()` or close. */
  | 'LineTooLong'
  /** The peer was silent, or slower than the least throughput, past the deadline. */
  | 'DeadlineExceeded'
  /** The connection ended while bytes were still owed in either direction. */
  | 'ConnectionClosed'
  /** Nobody answered where we dialled. */
  | 'ConnectFailed'
  /** The TLS handshake failed or took too long; the connection is destroyed. */
  | 'TlsFailed'

export class ConnectionError extends Error {
  readonly code: ConnectionErrorCode

  constructor(code: ConnectionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ConnectionError'
    this.code = code
  }
}

/** Whether `error` is a ConnectionError, with this code where one is given. */
export function isConnectionError(error: unknown, code?: ConnectionErrorCode): error is ConnectionError {
  return error instanceof ConnectionError && (code === undefined || error.code === code)
}
