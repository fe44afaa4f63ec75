// What an S3 server or the way to it refuses.

export class S3Error extends Error {
  /** As S3 names it, such as `SlowDown`; of what the network did, Node's code. */
  readonly code: string
  /** Undefined when there was no answer. */
  readonly status: number | undefined
  /** The server asked for so long a pause. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options)
    this.name = 'S3Error'
    this.code = code
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }

  /** The same request may succeed later. */
  get isTemporary(): boolean {
    const { status, code } = this
    if (status === undefined || status >= 500 || status === 429 || status === 408) return true
    return temporaryCodes.has(code)
  }
}

/** Answered with a status that says otherwise. */
const temporaryCodes: ReadonlySet<string> = new Set([
  'RequestTimeout',
  'OperationAborted',
  'BadDigest',
  'IncompleteBody',
  'XAmzContentSHA256Mismatch',
])
