// Emails of which each says which it is, and questions to an index whose answers are known.
import assert from 'node:assert/strict'
import type { AccountId } from '../../../src/base/ids.ts'
import { foldCase } from '../../../src/message/case-map.ts'
import type { IndexQuery, SearchIndex } from '../../../src/store/search/search-index.ts'
import type { Store } from '../../../src/store/store.ts'
import { mail, mailboxId } from '../fixture.ts'

export const folding = { name: 'i;unicode-casemap', fold: foldCase }

/** Email `id` says which it is, and what it is divided by seven. */
const textOf = (id: number) => `body${id}x rest${id % 7}y`

export interface Filled {
  readonly account: AccountId
  readonly count: number
}

/** Adds the emails `from` to `to`. */
export async function fill(
  store: Store,
  account: AccountId,
  from: number,
  to: number,
  text = textOf,
): Promise<void> {
  const mailbox = await mailboxId(store, account, 'INBOX')
  const messages = Array.from({ length: to - from + 1 }, (_unused, at) =>
    mail(store, text(from + at), { fields: [`Subject: subject${from + at}z`, `X-Rest: ${(from + at) % 7}`] }),
  )
  await store.mutate('appendMessages', { account, mailbox, messages })
}

/** Throws where the index is wrong; how many answers were not "unknown". */
export async function check(
  index: SearchIndex,
  { account, count }: Filled,
  gone: ReadonlySet<number> = new Set(),
) {
  const emails = Float64Array.from({ length: count }, (_unused, at) => at + 1)
  const questions: readonly (readonly [IndexQuery, (id: number) => boolean])[] = [
    [{ kind: 'text', needle: 'BODY77X', inHeaders: false }, id => id === 77],
    [{ kind: 'text', needle: 'T3Y', inHeaders: true }, id => id % 7 === 3],
    [{ kind: 'header', name: 'subject', needle: 'SUBJECT12' }, id => String(id).startsWith('12')],
    [{ kind: 'header', name: 'x-rest', needle: '5' }, id => id % 7 === 5],
  ]
  let decided = 0
  for (const [query, isTrue] of questions) {
    const found = await index.answer(account, query, folding, emails, () => {})
    for (const [at, answer] of found.entries()) {
      if (answer !== 1) decided++
      if (gone.has(at + 1)) assert.equal(answer, 1, `${at + 1} is gone`)
      else assert.notEqual(answer, isTrue(at + 1) ? 0 : 2, `${JSON.stringify(query)} ${at + 1}`)
    }
  }
  return decided
}
