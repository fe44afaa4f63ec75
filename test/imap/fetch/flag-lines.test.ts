import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemFlags } from '../../../src/store/flags.ts'
import { message, startImap } from '../harness.ts'
import { fill } from './mailbox.ts'

const bits = Object.values(systemFlags)

/** Some flags for each number, long names among them. */
function flagsOf(number: number) {
  let system = 0
  for (const [at, bit] of bits.entries()) if ((number >> at) & 1) system |= bit
  const keywords = number % 7 === 0 ? [`word${number % 5}`, 'k'.repeat(200)] : []
  return { system: number % 3 === 0 ? 0 : system, keywords }
}

test('FETCH of flags alone says what it says beside another item, over gaps and new digits (RFC 9051 §7.5.2)', async t => {
  const server = await startImap(t)
  const bytes = Buffer.from(message('many'))
  const count = 1103
  await fill(
    server.store,
    server.account,
    Array.from({ length: count }, (_unused, at) => ({ bytes, flags: flagsOf(at + 1) })),
  )
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  await imap.ok('UID STORE 2:4,8:12,97:99,400:450,999 +FLAGS.SILENT (\\Deleted)')
  await imap.ok('EXPUNGE')
  const gone = ` RFC822.SIZE ${bytes.length}`
  for (const set of ['1:*', '*:1', '1,3:5,90:*', '9:11', '*', '7']) {
    for (const uid of ['', 'UID ']) {
      const alone = await imap.ok(`${uid}FETCH ${set} (FLAGS)`)
      const beside = await imap.ok(`${uid}FETCH ${set} (FLAGS RFC822.SIZE)`)
      assert.deepEqual(
        alone,
        beside.map(line => line.replace(gone, '')),
        `${uid}${set}`,
      )
    }
  }
  const named = await imap.ok('FETCH 1:* (UID FLAGS)')
  assert.deepEqual(named, await imap.ok('UID FETCH 1:* (FLAGS)'))
  assert.match(named.at(-1) ?? '', new RegExp(`^\\* ${named.length} FETCH \\(UID \\d+ FLAGS \\(.*\\)\\)$`))
})

test('a keyword that is new to the client is told before the flags that hold it', async t => {
  const server = await startImap(t)
  await fill(server.store, server.account, [{ bytes: Buffer.from(message('one')) }])
  const [one, other] = [await server.client(), await server.client()]
  await one.ok('SELECT INBOX')
  await other.ok('SELECT INBOX')
  await other.ok('STORE 1 +FLAGS.SILENT (fresh)')
  const [told, line] = await one.ok('FETCH 1 (FLAGS)')
  assert.match(told ?? '', /^\* FLAGS \(.* fresh\)$/)
  assert.match(line ?? '', /^\* 1 FETCH \(FLAGS \(.*fresh\)\)$/)
})

test('a set of numbers that go beyond the last message is BAD for flags too (RFC 9051 §9, seq-number)', async t => {
  const server = await startImap(t)
  await fill(server.store, server.account, [{ bytes: Buffer.from(message('one')) }])
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  assert.equal((await imap.command('FETCH 1:2 (FLAGS)')).status, 'BAD')
  assert.equal((await imap.ok('UID FETCH 1:9 (FLAGS)')).length, 1)
})
