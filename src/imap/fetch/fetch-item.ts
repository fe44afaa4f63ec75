// What a FETCH item is: a row of the item table. RFC 9051 §6.4.5, §7.5.2.
import type { Awaitable } from '../../base/awaitable.ts'
import type { ParseContext } from '../command.ts'
import type { Encoder } from '../encoder.ts'
import type { Parser } from '../input/parser.ts'
import type { EmailColumn } from './email-rows.ts'
import type { FetchedMessage } from './fetched-message.ts'

/** Bytes `[start, end)` of a message. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** One item of one command, with its arguments. */
export interface FetchItem {
  /** The name in the answer, in Latin-1; two items of one label are one. */
  readonly label: string
  /** What it reads of the email's row. Nothing: the snapshot is enough. */
  readonly columns?: readonly EmailColumn[]
  /** What it reads of the message's bytes, so that the items of one message share a read; undefined for nothing. */
  span?(message: FetchedMessage): Span | undefined
  /** The bytes go out as they are: they need not have been read before. */
  readonly copies?: boolean
  /** Reads what else it needs of the next messages (UIDs ascending), before any of them is written. */
  prepare?(uids: Uint32Array): Promise<void>
  /** Asking for it makes the message \Seen. */
  readonly setsSeen?: boolean
  readonly showsFlags?: boolean
  readonly showsModSeq?: boolean
  /** Writes label and value. */
  write(message: FetchedMessage, out: Encoder): Awaitable<void>
}

/** A row of the table. */
export interface FetchItemDefinition {
  /** In upper case, up to a bracket. */
  readonly name: string
  /** Reads what follows the name. Throws BAD. */
  parse(parser: Parser, context: ParseContext): FetchItem
}
