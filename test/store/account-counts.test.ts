import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId } from '../../src/base/ids.ts'
import { AccountCounts } from '../../src/store/account-counts.ts'
import { directoryHint } from '../../src/store/mutations/directory-changed.ts'

test('what one thread counts the other sees, for every account there can be', () => {
  const mine = new AccountCounts()
  const theirs = new AccountCounts(mine.buffer)
  for (const account of [directoryHint, 0, 1, 5000, 2 ** 32 + 7, 2 ** 53 - 1] as AccountId[]) {
    const before = theirs.of(account)
    mine.add(account)
    assert.notEqual(theirs.of(account), before)
    mine.add(account, -1)
    assert.equal(theirs.of(account), before)
  }
})

test('a sum knows what others count, and not what is counted of every account', () => {
  const account = 7 as AccountId
  const sum = new AccountCounts()
  const mine = new AccountCounts()
  const theirs = new AccountCounts()
  mine.addAll()
  mine.add(account)
  mine.addTo(sum)
  theirs.addTo(sum)
  assert.equal(sum.of(account), 1)
  assert.equal(mine.isMore(sum, account), false)
  assert.equal(theirs.isMore(sum, account), true)
  theirs.add(account)
  assert.equal(mine.isMore(sum, account), true)
  theirs.add(account, -1)
  mine.addAll()
  assert.equal(mine.isMore(sum, account), false)
})
