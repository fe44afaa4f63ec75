import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collations, findCollations } from '../../../src/imap/search/collation.ts'
import { message, startImap } from '../harness.ts'

const bytes = (text: string) => Buffer.from(text).toString('latin1')

test('COMPARATOR tells and changes how SEARCH compares (RFC 5255 §4.7)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / I18NLEVEL=1 I18NLEVEL=2( |$)/)
  await client.append(
    'INBOX',
    message(
      'Grüße',
      'Straße HELLO\r\n',
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n',
    ).replace('Grüße', '=?utf-8?q?Gr=C3=BC=C3=9Fe?='),
  )
  await client.ok('SELECT INBOX')
  const finds = async (keys: string) => (await client.ok(`SEARCH ${keys}`))[0] === '* SEARCH 1'
  assert.deepEqual(await client.ok('COMPARATOR'), ['* COMPARATOR i;unicode-casemap'])
  assert.equal(await finds(`SUBJECT "${bytes('GRÜ')}"`), true)
  assert.equal(await finds('BODY "hello"'), true)
  assert.deepEqual(await client.ok('COMPARATOR i;ascii-casemap'), ['* COMPARATOR i;ascii-casemap'])
  assert.equal(await finds(`SUBJECT "${bytes('GRü')}"`), true)
  assert.equal(await finds(`SUBJECT "${bytes('GRÜ')}"`), false)
  assert.equal(await finds('BODY "hello"'), true)
  assert.deepEqual(await client.ok('COMPARATOR i;octet'), ['* COMPARATOR i;octet'])
  assert.equal(await finds('BODY "hello"'), false)
  assert.equal(await finds('TEXT "HELLO"'), true)
  assert.equal(await finds(`HEADER Subject "${bytes('Grüße')}"`), true)
  assert.deepEqual(await client.ok('COMPARATOR default'), ['* COMPARATOR i;unicode-casemap'])
  assert.equal(await finds('BODY "hello"'), true)
})

test('COMPARATOR changes how SORT orders (RFC 5255 §4.6)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const subject of ['b', 'A', 'a', 'B']) await client.append('INBOX', message(subject))
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 2 3 1 4'])
  await client.ok('COMPARATOR i;octet')
  assert.deepEqual(await client.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 2 4 3 1'])
  await client.ok('COMPARATOR i;ascii-casemap')
  assert.deepEqual(await client.ok('SORT (SUBJECT) UTF-8 ALL'), ['* SORT 2 3 1 4'])
})

test('COMPARATOR takes patterns: the first argument that matches wins, and all that match are listed (RFC 5255 §4.7, §4.8)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  assert.deepEqual(await client.ok('COMPARATOR "cz;*" i;octet'), ['* COMPARATOR i;octet'])
  assert.deepEqual(await client.ok('COMPARATOR "i;*casemap"'), [
    '* COMPARATOR i;unicode-casemap (i;unicode-casemap i;ascii-casemap)',
  ])
  assert.deepEqual(await client.ok('COMPARATOR "+I;OCTET" "*"'), [
    '* COMPARATOR i;octet (i;octet i;unicode-casemap i;ascii-casemap)',
  ])
  assert.match((await client.command('COMPARATOR "cz;*" i;ascii-numeric')).tagged, /^NO \[BADCOMPARATOR\]/)
  assert.deepEqual(await client.ok('COMPARATOR'), ['* COMPARATOR i;octet'])
  assert.match((await client.command(`COMPARATOR ${'x '.repeat(101)}`)).tagged, /^BAD \[TOOBIG\]/)
  assert.equal((await (await server.connect()).command('COMPARATOR')).status, 'BAD')
  // It goes with the log-in, and is another session's own.
  assert.deepEqual(await (await server.client()).ok('COMPARATOR'), ['* COMPARATOR i;unicode-casemap'])
  await client.ok('UNAUTHENTICATE')
  await client.login()
  assert.deepEqual(await client.ok('COMPARATOR'), ['* COMPARATOR i;unicode-casemap'])
})

test('folding twice changes nothing, and a folded text holds the folded part (RFC 4790 §4.2.3)', () => {
  for (const { fold } of collations) {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), text => {
        assert.equal(fold(fold(text)), fold(text))
        assert.ok(fold(`before${text}after`).includes(fold(text)))
      }),
    )
  }
})

test('patterns of collations match as if * were anything', () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.constantFrom('i;', 'octet', '*', 'casemap', 'ascii-', 'unicode-', 'a', '-'))
        .map(pieces => pieces.join('')),
      pattern => {
        const expected = new RegExp(
          `^${pattern.replace(/[.+^${}()|[\]\\-]/g, '\\$&').replaceAll(/\*+/g, '.*')}$`,
        )
        assert.deepEqual(
          findCollations(pattern).map(({ name }) => name),
          collations.map(({ name }) => name).filter(name => expected.test(name)),
        )
      },
    ),
  )
})
