// What a client is told when a command is refused. RFC 9051 §7.1; response codes of RFC 5530.

/** Response codes of a refusal that the server uses; with arguments where the code has some. */
export type ResponseCode = string

/** A refusal: thrown by `parse` and `run`, turned into a tagged reply by the dispatcher and nowhere else. */
export class ImapError extends Error {
  readonly status: 'NO' | 'BAD' | 'BYE'
  readonly code: ResponseCode | undefined

  constructor(status: 'NO' | 'BAD' | 'BYE', code: ResponseCode | undefined, text: string) {
    super(text)
    this.name = 'ImapError'
    this.status = status
    this.code = code
  }
}

/** The command was understood and can't be done. */
export function no(code: ResponseCode | undefined, text: string): ImapError {
  return new ImapError('NO', code, text)
}

/** The command was not understood, or is not for this state. */
export function bad(text: string, code?: ResponseCode): ImapError {
  return new ImapError('BAD', code, text)
}

/** The connection can't go on. */
export function bye(text: string, code?: ResponseCode): ImapError {
  return new ImapError('BYE', code, text)
}

/** Message numbers after ENABLE UIDONLY (RFC 9586 §3). */
export function uidRequired(): ImapError {
  return bad('UIDONLY is on: speak of UIDs only', 'UIDREQUIRED')
}

/** After ANONYMOUS (RFC 4505). */
export function readersOnly(): ImapError {
  return no('NOPERM', 'Without a name you may only read')
}
