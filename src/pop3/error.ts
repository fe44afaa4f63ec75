// What a client is told when a command fails. RFC 2449 §8 (response codes); RFC 3206; RFC 6856 §5.
import type { Texts } from './languages/texts.ts'

export type ResponseCode = 'IN-USE' | 'LOGIN-DELAY' | 'AUTH' | 'SYS/TEMP' | 'SYS/PERM' | 'UTF8'

/** A text in the language of the session, chosen when it is sent. */
export type TextOf = (texts: Texts) => string

export class Pop3Error extends Error {
  readonly code: ResponseCode | undefined
  readonly text: TextOf
  /** Whether the command made no sense: too many of these in a row end the session. */
  readonly isBad: boolean

  constructor(text: TextOf, options: { code?: ResponseCode; isBad?: boolean; cause?: unknown } = {}) {
    super('a POP3 command was refused', { cause: options.cause })
    this.name = 'Pop3Error'
    this.code = options.code
    this.text = text
    this.isBad = options.isBad === true
  }
}

/** A command that no server would understand here. */
export function bad(text: TextOf): Pop3Error {
  return new Pop3Error(text, { isBad: true })
}
