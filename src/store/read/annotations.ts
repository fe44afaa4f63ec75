// Reads of annotations. RFC 5464 §3.
import type { AccountId, MailboxId, ModSeq } from '../../base/ids.ts'
import type { Reader } from '../store.ts'

export interface Annotation {
  readonly entry: string
  readonly value: Uint8Array
}

/** The annotations of a mailbox (undefined: of the account itself; account 0: of the server) by name. */
export async function listAnnotations(
  reader: Reader,
  account: AccountId,
  mailbox: MailboxId | undefined,
): Promise<readonly Annotation[]> {
  return await reader.all<Annotation>(
    'SELECT entry, value FROM annotation WHERE account = ? AND mailbox = ? AND value IS NOT NULL ORDER BY folded',
    account,
    mailbox ?? 0,
  )
}

/** The value of one of an account's own annotations (account 0: of the server's), by name in any case. */
export async function findAnnotation(
  reader: Reader,
  account: AccountId,
  entry: string,
): Promise<Uint8Array | undefined> {
  const row = await reader.get<{ value: Uint8Array }>(
    'SELECT value FROM annotation WHERE account = ? AND mailbox = 0 AND folded = ? AND value IS NOT NULL',
    account,
    entry.toLowerCase(),
  )
  return row?.value
}

/** Entries that were set or removed after `modSeq`; a name of null is the account itself. */
export async function listChangedAnnotations(
  reader: Reader,
  account: AccountId,
  modSeq: ModSeq,
): Promise<
  readonly {
    readonly mailbox: MailboxId
    readonly name: string | null
    readonly entry: string
    readonly modSeq: ModSeq
  }[]
> {
  return await reader.all(
    `SELECT a.mailbox, m.name, a.entry, a.mod_seq AS "modSeq" FROM annotation a
       LEFT JOIN mailbox m ON m.account = a.account AND m.id = a.mailbox
     WHERE a.account = ? AND a.mod_seq > ? AND (a.mailbox = 0 OR m.id IS NOT NULL) ORDER BY a.mailbox, a.folded`,
    account,
    modSeq,
  )
}

/** The modSeq that an account has reached; 0 where there is none. */
export async function findModSeq(reader: Reader, account: AccountId): Promise<ModSeq> {
  const row = await reader.get<{ modSeq: ModSeq }>(
    'SELECT mod_seq AS "modSeq" FROM account WHERE id = ?',
    account,
  )
  return row?.modSeq ?? (0 as ModSeq)
}
