import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { parseMessageIds, threadReferences } from '../../src/message/message-id.ts'

test('identifiers are found in order, without their brackets', () => {
  assert.deepEqual(parseMessageIds(' <a@b>\r\n <c@d> (x) <e@f>'), ['a@b', 'c@d', 'e@f'])
})

test('equal identifiers are equal strings: quotes, comments and folding do not count (RFC 5256 §2.2, §3)', () => {
  for (const value of [
    '<01KF8JCEOCBS0045PS@xxx.yyy.com>',
    '<"01KF8JCEOCBS0045PS"@xxx.yyy.com>',
    '<01KF8JCEOCBS0045PS @\r\n xxx.yyy.com(c)>',
  ]) {
    assert.deepEqual(parseMessageIds(value), ['01KF8JCEOCBS0045PS@xxx.yyy.com'])
  }
})

test('what is no identifier is passed over', () => {
  assert.deepEqual(parseMessageIds('Your message of "Fri" <> <x> <@> <a@> <@b> <<a@b> <c@d'), ['a@b'])
})

test('References count, or else the first of In-Reply-To (RFC 5256 §3)', () => {
  assert.deepEqual(threadReferences(['<a@b> <c@d>'], '<x@y>'), ['a@b', 'c@d'])
  assert.deepEqual(threadReferences(['nonsense'], '<x@y> <z@y>'), ['x@y'])
  assert.deepEqual(threadReferences([], undefined), [])
})

test('identifiers are bounded in number, and brackets cost linear time', () => {
  const { messageIds } = limits.message
  assert.equal(parseMessageIds('<a@b>'.repeat(messageIds)).length, messageIds)
  assert.equal(parseMessageIds('<a@b>'.repeat(messageIds + 1)).length, messageIds)
  const start = performance.now()
  parseMessageIds('<'.repeat(200_000))
  parseMessageIds('<>'.repeat(100_000))
  threadReferences(
    Array.from({ length: 1000 }, () => '<('.repeat(1000)),
    undefined,
  )
  assert(performance.now() - start < 1000)
})
