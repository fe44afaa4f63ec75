// Keyword sets, one row each, so that a message's flags are one integer. RFC 9051 §2.3.2.
import { hash } from 'node:crypto'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { type FlagSet, keywordShift, systemMask } from '../flags.ts'
import type { Tx } from '../store.ts'

const maxKeyCharacters = 500

/** The keywords of a set's row. */
export function splitKeywords(keywords: string): readonly string[] {
  return keywords === '' ? [] : keywords.split(' ')
}

/** The integer for `flags`, making the keyword set when it is new. Keywords compare without case and keep the account's first spelling. Throws `too-many`. */
export async function internFlags(tx: Tx, account: AccountId, flags: FlagSet): Promise<number> {
  const system = flags.system & systemMask
  if (flags.keywords.length === 0) return system
  return system + (await internKeywords(tx, account, flags.keywords)) * 2 ** keywordShift
}

/** The number of the set of these keywords; 0 for none. Throws `too-many`. */
export async function internKeywords(
  tx: Tx,
  account: AccountId,
  keywords: readonly string[],
): Promise<number> {
  const unique = new Map<string, string>()
  for (const keyword of keywords) {
    const folded = keyword.toLowerCase()
    if (!unique.has(folded)) unique.set(folded, keyword)
  }
  if (unique.size === 0) return 0
  if (unique.size > limits.mailbox.keywordsPerMessage) {
    throw new StoreError('too-many', 'too many keywords on one message')
  }
  const key = setKey([...unique.keys()].sort().join(' '))
  const known = await tx.get<{ id: number }>(
    'SELECT id FROM keyword_set WHERE account = ? AND folded = ?',
    account,
    key,
  )
  if (known) return known.id
  const spellings = await spellKeywords(tx, account, unique)
  const made = await tx.get<{ id: number }>(
    'UPDATE account SET next_keyword_set = next_keyword_set + 1 WHERE id = ? RETURNING next_keyword_set - 1 AS id',
    account,
  )
  if (!made) throw new StoreError('no-such-account', 'the account is gone')
  // A set's number has 24 bits in a message's flags.
  if (made.id > limits.mailbox.keywordSets)
    throw new StoreError('too-many', 'too many combinations of keywords')
  await tx.run(
    'INSERT INTO keyword_set (account, id, folded, keywords) VALUES (?, ?, ?, ?)',
    account,
    made.id,
    key,
    spellings.join(' '),
  )
  return made.id
}

/** What the index holds: PostgreSQL takes no more than 2,700 bytes. No keyword begins with a space, so a hash is no list of keywords. */
function setKey(folded: string): string {
  return folded.length <= maxKeyCharacters ? folded : ` ${hash('sha256', folded, 'hex')}`
}

/** Each keyword as the account first spelt it, sorted; a new one counts against the limit. */
async function spellKeywords(
  tx: Tx,
  account: AccountId,
  unique: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const spellings: string[] = []
  for (const [folded, keyword] of unique) {
    const known = await tx.get<{ spelling: string }>(
      'SELECT spelling FROM keyword WHERE account = ? AND folded = ?',
      account,
      folded,
    )
    if (known) {
      spellings.push(known.spelling)
      continue
    }
    if (
      keyword === '' ||
      /[\s\0-\x1f\x7f]/.test(keyword) ||
      Buffer.byteLength(keyword) > limits.mailbox.keywordBytes
    ) {
      throw new StoreError('too-many', 'a keyword is too long or not a word')
    }
    const count = await tx.get<{ total: number }>(
      'SELECT count(*) AS total FROM keyword WHERE account = ?',
      account,
    )
    if (count && count.total >= limits.mailbox.keywords) throw new StoreError('too-many', 'too many keywords')
    await tx.run('INSERT INTO keyword (account, folded, spelling) VALUES (?, ?, ?)', account, folded, keyword)
    spellings.push(keyword)
  }
  return spellings.sort()
}
