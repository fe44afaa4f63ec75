// Object ids as clients see them. RFC 8474 §4: 1 to 255 letters, digits, '-' and '_'. And the numbers of X-GM-EXT-1, 64 bits unsigned.
//
// Numbers are unique in their account only, so what belongs to another account than the client's own (`foreignOwner`) says whose it is.
import type { AccountId, EmailId, MailboxId, ThreadId } from '../base/ids.ts'

type Owner = AccountId | undefined

export function mailboxId(id: MailboxId, foreignOwner: Owner): string {
  return objectId('M', id, foreignOwner)
}

export function emailId(id: EmailId, foreignOwner: Owner): string {
  return objectId('E', id, foreignOwner)
}

export function threadId(id: ThreadId, foreignOwner: Owner): string {
  return objectId('T', id, foreignOwner)
}

function objectId(letter: string, id: number, foreignOwner: Owner): string {
  return foreignOwner === undefined ? `${letter}${id}` : `${letter}${id}-${foreignOwner}`
}

/** The number that an object id stands for; NaN, which equals nothing, for one that nothing of that owner has. */
export function parseObjectId(text: string, letter: 'E' | 'T', foreignOwner: Owner): number {
  const id = Number.parseInt(text.slice(1), 10)
  return Number.isSafeInteger(id) && text === objectId(letter, id, foreignOwner) ? id : Number.NaN
}

/** X-GM-MSGID and X-GM-THRID of a row. */
export function gmailId(id: number, foreignOwner: Owner): string {
  return foreignOwner === undefined ? String(id) : String((BigInt(foreignOwner) << 32n) + BigInt(id))
}

/** The row of an X-GM-MSGID or X-GM-THRID; NaN, which equals nothing, for one that nothing of that owner has. */
export function parseGmailId(id: bigint, foreignOwner: Owner): number {
  const row = foreignOwner === undefined ? id : id - (BigInt(foreignOwner) << 32n)
  return row >= 0n && row <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(row) : Number.NaN
}
