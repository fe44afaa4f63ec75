import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { isReadableHash, PasswordHasher } from '../../src/sasl/password.ts'
import { QueueFull } from '../../src/sasl/turns.ts'

const cheap = { memoryKib: 64, passes: 1, parallelism: 1 }
const hasher = new PasswordHasher({ cost: cheap })

test('a hash is a PHC string of argon2id with a salt of its own, and verifies only its password', async () => {
  const [first, second] = await Promise.all([hasher.hash('correct horse'), hasher.hash('correct horse')])
  assert.match(first, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
  assert.notEqual(first, second)
  assert.equal(await hasher.verify('correct horse', first), true)
  assert.equal(await hasher.verify('correct horsE', first), false)
  assert.equal(await hasher.verify('', first), false)
})

test('hashes of older parameters verify and ask to be made anew', async () => {
  const stored = await hasher.hash('x')
  const today = new PasswordHasher({ cost: { ...cheap, passes: 2 } })
  assert.equal(await today.verify('x', stored), true)
  assert.equal(today.needsRehash(stored), true)
  assert.equal(hasher.needsRehash(stored), false)
  assert.equal(hasher.needsRehash('$6$saltstring$'), true)
})

test("argon2 hashes of another program verify: the reference implementation's vector", async () => {
  // phc-winner-argon2, test.c: version 0x13, t=2, m=65536, p=1, "password", "somesalt".
  const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.equal(await hasher.verify('password', stored), true)
  assert.equal(await hasher.verify('password', `{ARGON2ID}${stored}`), true)
  assert.equal(await hasher.verify('passwort', stored), false)
})

test('SHA-crypt hashes that OpenSSL made verify', async () => {
  // openssl passwd -5|-6 -salt …
  const long = 'a longer password of more than sixty-four bytes, to go round the digest once more'
  const vectors = [
    ['$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', 'Hello world!'],
    ['$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA', 'Hello world!'],
    ['$5$abcdefgh$sI6g8tHKrJ6RX7w.YoN9B7a/5wK5jYEOMmMnt3tPl0/', 'x'],
    [
      '{SHA512-CRYPT}$6$abcdefgh$4UPJf3qf71iDb8DDBG5r.Jxy3OKpyf7on.yGTrfW2z7BZBicRPXkes.VuTPq3aS6gF63ohT6G9SJv9LejkZLu/',
      'Hello world!',
    ],
    [
      '$6$abcdefgh$1p6xXctUzqAzPZIGfZc5rafQLRP6BcQHVh.Rvd.duH0oWPg5/18dhi3ifGSYS2joNW.H60PDv4xXwt3Ta/jft/',
      long,
    ],
  ] as const
  for (const [stored, password] of vectors) {
    assert.equal(await hasher.verify(password, stored), true, stored)
    assert.equal(await hasher.verify(`${password}.`, stored), false, stored)
  }
})

test('a salted SHA-512 hash of an LDAP directory verifies', async () => {
  const salt = Buffer.from('saltsalt')
  const tag = createHash('sha512').update('secret').update(salt).digest()
  const stored = `{SSHA512}${Buffer.concat([tag, salt]).toString('base64')}`
  assert.equal(await hasher.verify('secret', stored), true)
  assert.equal(await hasher.verify('Secret', stored), false)
})

test('a stored hash cannot ask for boundless work, and no text makes verify throw', async () => {
  const { argon2MaxMemoryKib } = limits.password
  const argon = (m: number, t: number, p: number) =>
    `$argon2id$v=19$m=${m},t=${t},p=${p}$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc`
  for (const stored of [
    argon(argon2MaxMemoryKib + 1, 1, 1),
    argon(64, 0, 1),
    argon(64, 65, 1),
    argon(7, 1, 1),
    argon(64, 1, 9),
    '$6$rounds=1000001$salt$' + 'a'.repeat(86),
    '{PLAIN}secret',
    '$2b$12$abcdefghijklmnopqrstuv',
    '',
  ]) {
    assert.equal(isReadableHash(stored), false, stored)
    assert.equal(await hasher.verify('secret', stored), false, stored)
  }
  assert.equal(isReadableHash(argon(argon2MaxMemoryKib, 64, 1)), true)
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (password, stored) => {
      assert.equal(await hasher.verify(password, stored), false)
    }),
    { numRuns: 50 },
  )
})

test('a password longer than the limit is refused without work', async () => {
  const long = 'x'.repeat(limits.password.bytes)
  const stored = await hasher.hash(long)
  assert.equal(await hasher.verify(long, stored), true)
  assert.equal(await hasher.verify(`${long}x`, stored), false)
  await assert.rejects(hasher.hash(`${long}x`), RangeError)
  await assert.rejects(hasher.hash(''), RangeError)
})

test('a flood of log-ins waits in a bounded queue, then is refused as temporary', async () => {
  const narrow = new PasswordHasher({ cost: cheap, hashesAtOnce: 1, hashesWaiting: 2 })
  const asked = Array.from({ length: 10 }, () => narrow.dummyVerify('x'))
  const outcomes = await Promise.allSettled(asked)
  const refused = outcomes.filter(each => each.status === 'rejected')
  assert.equal(refused.length, 7)
  for (const each of refused) assert.ok(each.reason instanceof QueueFull)
  assert.equal(await narrow.dummyVerify('x'), false)
})

test('a wrong password and an unknown name take the same time', async () => {
  const real = new PasswordHasher({ cost: { memoryKib: 4096, passes: 2, parallelism: 1 } })
  const stored = await real.hash('right')
  const known: number[] = []
  const unknown: number[] = []
  for (let i = 0; i < 15; i++) {
    const start = performance.now()
    await real.verify('wrong', stored)
    const middle = performance.now()
    await real.dummyVerify('wrong')
    known.push(middle - start)
    unknown.push(performance.now() - middle)
  }
  // The least of many is what the work costs; the rest is the machine's noise.
  const ratio = Math.min(...known) / Math.min(...unknown)
  assert.ok(ratio > 0.5 && ratio < 2, `ratio ${ratio}`)
})
