// Arguments that several commands share. RFC 9051 §9.
import { rangesOf, type UidRanges } from '../../store/uid-ranges.ts'
import type { ParseContext } from '../command.ts'
import { no } from '../error.ts'
import type { Parser } from '../input/parser.ts'
import { decodeMailboxName } from '../mailbox-name.ts'
import type { MailboxView } from '../mailbox-view.ts'

/** A mailbox's name as the store knows it. */
export function mailboxName(parser: Parser, { session }: ParseContext): string {
  return decodeMailboxName(parser.astring(), session.usesUtf8Names)
}

/** No arguments at all. */
export function noArguments(): undefined {
  return undefined
}

/** Ascending UIDs as mutations take them. */
export function uidRanges(uids: ArrayLike<number>): UidRanges {
  return rangesOf(uids)
}

/** Throws NO for a mailbox opened by EXAMINE. */
export function assertWritable(view: MailboxView): void {
  if (view.isReadOnly) throw no('READ-ONLY', 'The mailbox was opened read-only: SELECT it')
}
