import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ArchiveEntry } from '../../../src/server/archive/archived-message.ts'
import { mboxFlags, MboxSplitter, readMbox, separatorDate } from '../../../src/server/archive/mbox-reader.ts'
import { mboxEntry } from '../../../src/server/archive/mbox-writer.ts'
import { answered, flagged, noFlags, seen } from '../../../src/store/flags.ts'

const separator = 'From ann@example.org Thu Jan  1 12:34:56 2026\n'

const folder = mkdtempSync(join(tmpdir(), 'restante-mbox-'))

async function readText(text: string | Buffer): Promise<ArchiveEntry[]> {
  const file = join(folder, 'box')
  writeFileSync(file, text)
  return Array.fromAsync(readMbox(file, { mailbox: 'INBOX' }))
}

async function bodiesOf(text: string | Buffer): Promise<string[]> {
  return (await readText(text)).map(entry =>
    entry.kind === 'message' ? entry.bytes.toString('latin1') : entry.kind,
  )
}

test('messages are cut at their separators, with CRLF, and dated', async () => {
  const entries = await readText(
    `${separator}Subject: 1\n\none\n\nFrom b Fri Feb 13 01:02:03 2026 +0100\nSubject: 2\n\ntwo\n`,
  )
  assert.deepEqual(
    entries.map(entry => entry.kind === 'message' && [entry.bytes.toString(), entry.receivedAt]),
    [
      ['Subject: 1\r\n\r\none\r\n', Date.UTC(2026, 0, 1, 12, 34, 56)],
      ['Subject: 2\r\n\r\ntwo\r\n', Date.UTC(2026, 1, 13, 0, 2, 3)],
    ],
  )
})

test('a line of text that begins with From is no separator', async () => {
  const text = `${separator}Subject: 1\n\nDear Ben,\n\nFrom what I hear, at 10:30 it rains.\nFrom b Thu Jan  1 12:34:56 2026\nend\n`
  assert.equal((await bodiesOf(text)).length, 1)
})

test('mboxrd loses one > of each quoted From line', async () => {
  const [body] = await bodiesOf(`${separator}\n>From a\n>>From b\n> From c\n>Frome\n`)
  assert.equal(body, '\r\nFrom a\r\n>From b\r\n> From c\r\n>Frome\r\n')
})

test('a Content-Length that fits is believed, and nothing is unquoted then', async () => {
  const inner = `>From a\n\n${separator}still the same\n`
  const text = `${separator}Content-Length: ${inner.length}\n\n${inner}\n${separator}Subject: 2\n\ntwo\n`
  const bodies = await bodiesOf(text)
  assert.equal(bodies.length, 2)
  assert.match(bodies[0] ?? '', />From a\r\n\r\nFrom ann@example\.org .*\r\nstill the same\r\n$/)
})

test('a Content-Length that does not fit is not believed', async () => {
  for (const length of [0, 3, 5, 99_999, -1]) {
    const text = `${separator}Content-Length: ${length}\n\none\n\n${separator}Subject: 2\n\ntwo\n`
    assert.equal((await bodiesOf(text)).length, 2, String(length))
  }
})

test('flags are those of Status, X-Status, X-Keywords and X-Mozilla-Status', () => {
  const flags = (header: string) => mboxFlags(Buffer.from(`${header}\n\nStatus: RO\n`))
  assert.deepEqual(flags('Status: RO\nX-Status: AF\nX-Keywords: blue $Forwarded   blue (bad'), {
    system: seen | answered | flagged,
    keywords: ['blue', '$Forwarded'],
  })
  assert.deepEqual(flags('X-Mozilla-Status: 0005'), { system: seen | flagged, keywords: [] })
  assert.deepEqual(flags('Subject: none'), noFlags)
})

test('CRLF files and empty lines at the start are read', async () => {
  const line = separator.replace('\n', '\r\n')
  const text = `\r\n\r\n${line}Subject: 1\r\n\r\none\r\n\r\n${line}Subject: 2\r\n\r\ntwo\r\n`
  assert.deepEqual(await bodiesOf(text), ['Subject: 1\r\n\r\none\r\n', 'Subject: 2\r\n\r\ntwo\r\n'])
})

test('a file that is no mbox is one problem', async () => {
  const entries = await readText('Subject: a message\n\nFrom b Thu Jan  1 12:34:56 2026\n'.repeat(1000))
  assert.deepEqual(
    entries.map(({ kind }) => kind),
    ['problem'],
  )
  assert.deepEqual(await readText(''), [])
})

test('a message past the limit is told of, and the next is read', () => {
  const limit = 100_000
  const splitter = new MboxSplitter(limit)
  const kinds: string[] = []
  const chunk = Buffer.alloc(7000, 'x\n')
  const take = (bytes: Buffer) => kinds.push(...splitter.push(bytes).map(({ kind }) => kind))
  take(Buffer.from(`${separator}\n`))
  for (let bytes = 0; bytes <= limit; bytes += chunk.length) take(chunk)
  take(Buffer.from(`\n${separator}Subject: small\n\nx\n`))
  kinds.push(...splitter.end().map(({ kind }) => kind))
  assert.deepEqual(kinds, ['too-large', 'message'])
})

test('dates of separators are read as all writers have them', () => {
  const at = Date.UTC(2026, 0, 1, 12, 34, 56)
  for (const line of [
    'From x Thu Jan  1 12:34:56 2026',
    'From x Thu Jan 01 12:34:56 2026',
    'From x Thu Jan  1 12:34:56 GMT 2026',
    'From x@y  Thu Jan  1 13:34:56 2026 +0100',
    'From x Thu Jan  1 13:34:56 +0100 2026',
  ]) {
    assert.equal(separatorDate(line), at, line)
  }
  assert.equal(separatorDate('From nowhere'), undefined)
})

const oddLine = fc.constantFrom(
  'From x',
  '>From x',
  '>>From y 12:34 2026',
  '',
  'Status: RO',
  separator.trimEnd(),
)
const anyMessage = fc.array(fc.oneof(oddLine, fc.string({ maxLength: 20 })), { minLength: 1 }).map(lines => {
  const clean = lines.map(line => line.replaceAll(/[\r\n]/g, ''))
  return Buffer.from(`Subject: x\r\n${clean.join('\r\n')}\r\n`)
})

test('what is written is read back: bytes, flags, dates', async () => {
  const flags = fc.record({
    system: fc.integer({ min: 0, max: 31 }),
    keywords: fc.uniqueArray(fc.constantFrom('blue', '$Forwarded', 'x')),
  })
  const message = fc.tuple(anyMessage, flags, fc.integer({ min: 0, max: 2_000_000_000 }))
  await fc.assert(
    fc.asyncProperty(fc.array(message, { maxLength: 5 }), async messages => {
      const text = messages.map(([bytes, set, seconds]) => mboxEntry(bytes, set, seconds * 1000, 'a@b'))
      const entries = await readText(Buffer.concat(text))
      assert.equal(entries.length, messages.length)
      for (const [index, [bytes, set, seconds]] of messages.entries()) {
        const entry = entries[index]
        assert.ok(entry?.kind === 'message')
        assert.equal(entry.bytes.toString('latin1'), bytes.toString('latin1'))
        assert.deepEqual([entry.flags.system, entry.flags.keywords], [set.system, set.keywords])
        assert.equal(entry.receivedAt, seconds * 1000)
      }
    }),
    { numRuns: 150 },
  )
})

test('chunks of any size give the same messages', () => {
  const texts = ['1', '2', '3'].map(name =>
    mboxEntry(Buffer.from(`Subject: ${name}\r\n\r\nFrom x\r\n`), noFlags, 0, 'a'),
  )
  const text = Buffer.concat(texts)
  const whole = new MboxSplitter()
  const expected = [...whole.push(text), ...whole.end()]
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), size => {
      const splitter = new MboxSplitter()
      const found: unknown[] = []
      for (let at = 0; at < text.length; at += size)
        found.push(...splitter.push(text.subarray(at, at + size)))
      assert.deepEqual([...found, ...splitter.end()], expected)
    }),
  )
})

test('any bytes are read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), async bytes => {
      await readText(Buffer.concat([Buffer.from(separator), bytes]))
    }),
    { numRuns: 100 },
  )
})
