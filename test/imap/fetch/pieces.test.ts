// Large answers: the buffers that they go out of are used again and again, and messages are copied into them from where they lie.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { StoreError } from '../../../src/store/error.ts'
import { ObservedStore } from '../../../src/store/observed-store.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { BodyLocation, CopyBody, Store } from '../../../src/store/store.ts'
import { temporaryFolder } from '../../store/fixture.ts'
import type { ImapClient } from '../client.ts'
import { startImap } from '../harness.ts'
import { fill, valueOf } from './mailbox.ts'

const megabyte = 1024 * 1024

/** A message whose every line says which it is. */
function marked(mark: string, sizeBytes: number): Buffer {
  return Buffer.concat([
    Buffer.from(`Subject: ${mark}\r\n\r\n`),
    Buffer.alloc(sizeBytes, `${mark} and nothing else\r\n`),
  ])
}

/** What happens between a message's being opened and its bytes being copied. */
class Meddling extends ObservedStore {
  readonly #inner: Store
  readonly #meddle: (copy: CopyBody, call: number) => CopyBody

  constructor(store: Store, meddle: (copy: CopyBody, call: number) => CopyBody) {
    super(store, { before() {}, after() {} })
    this.#inner = store
    this.#meddle = meddle
  }

  openBody(hash: Uint8Array, location: BodyLocation, end: number): CopyBody | undefined {
    const copy = this.#inner.openBody?.(hash, location, end)
    let calls = 0
    return copy && ((...args) => this.#meddle(copy, ++calls)(...args))
  }
}

async function openOnDisk(
  t: TestContext,
  messages: readonly Buffer[],
  wrap = (store: Store): Store => store,
) {
  const server = await startImap(t, { store: wrap(await openStore({ dataDir: temporaryFolder(t) })) })
  await fill(
    server.store,
    server.account,
    messages.map(bytes => ({ bytes })),
  )
  return server
}

async function assertFetched(imap: ImapClient, messages: readonly Buffer[]): Promise<void> {
  const lines = await imap.ok('FETCH 1:* (BODY.PEEK[])')
  assert.deepEqual(
    lines.map(line => valueOf(line, 'BODY[]')?.length),
    messages.map(message => message.length),
  )
  for (const [index, line] of lines.entries())
    assert.ok(valueOf(line, 'BODY[]') === messages[index]?.toString('latin1'), `message ${index + 1}`)
}

test('clients who read slowly, or what was deflated, get what is theirs while others are served', async t => {
  const messages = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'].map(mark =>
    marked(mark, 3 * megabyte),
  )
  const server = await openOnDisk(t, messages)
  const clients = await Promise.all([server.client(), server.client(), server.client()])
  const [slow, deflated, quick] = clients as [ImapClient, ImapClient, ImapClient]
  for (const imap of clients) await imap.ok('SELECT INBOX')
  await deflated.ok('COMPRESS DEFLATE')
  deflated.startCompression()
  const late = assertFetched(slow, messages)
  await once(slow.socket, 'data')
  slow.socket.pause()
  const packed = assertFetched(deflated, messages)
  await assertFetched(quick, messages)
  await packed
  slow.socket.resume()
  await late
})

test('messages of all sizes, with NUL in them, come as they are, in one command and one by one (RFC 9051 §9, CHAR8)', async t => {
  const sizes = [0, 1, 2000, 16_000, 32_768, 65_536, 200_000, 262_144 - 60, 262_144, 262_145, 600_000]
  const messages = sizes.map(sizeBytes => marked(`m${sizeBytes}`, sizeBytes))
  messages.push(Buffer.from(`Subject: NUL\r\n\r\n${'\0a'.repeat(150_000)}`))
  const server = await openOnDisk(t, messages)
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  const shown = messages.map(message => Buffer.from(message.map(byte => (byte === 0 ? 0x80 : byte))))
  await assertFetched(imap, shown)
  for (const [index, message] of shown.entries()) {
    const [line = ''] = await imap.ok(`FETCH ${index + 1} (BODY.PEEK[] BODY.PEEK[HEADER] BODY.PEEK[]<7.5>)`)
    assert.ok(valueOf(line, 'BODY[]') === message.toString('latin1'), `message ${index + 1}`)
    assert.ok(
      line.endsWith(` BODY[]<7> {5}\r\n${message.toString('latin1', 7, 12)})`),
      `message ${index + 1}`,
    )
  }
})

test('a message that is moved between its opening and its end is found again', async t => {
  const messages = [marked('small', 1000), marked('large', 2 * megabyte), marked('middle', 100_000)]
  const server = await openOnDisk(t, messages, store => {
    const gone: CopyBody = () => false
    return new Meddling(store, (copy, call) => (call % 2 === 1 ? gone : copy))
  })
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  await assertFetched(imap, messages)
})

test('where a message can not be read to its end the connection is closed, and no word goes into the message', async t => {
  const server = await openOnDisk(t, [marked('broken', 2 * megabyte)], store => {
    const broken: CopyBody = () => {
      throw new StoreError('corrupt', 'the disk is broken')
    }
    return new Meddling(store, (copy, call) => (call > 2 ? broken : copy))
  })
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  imap.send('b1 FETCH 1 (BODY.PEEK[])\r\n')
  const rest = (await imap.line()) ?? ''
  assert.match(rest.slice(0, 60), /^\* 1 FETCH \(BODY\[\] \{\d+\}\r\nSubject: broken/)
  assert.doesNotMatch(rest, /NO \[|b1 /)
})

test('without the way to copy the bytes are read', async t => {
  const messages = [marked('small', 1000), marked('large', 2 * megabyte)]
  const server = await openOnDisk(t, messages, store => new ObservedStore(store, { before() {}, after() {} }))
  const imap = await server.client()
  await imap.ok('SELECT INBOX')
  await assertFetched(imap, messages)
})

test('a client who asks and does not read holds few pieces', async t => {
  const server = await openOnDisk(t, [marked('again', 20_000)])
  const [deaf, other] = [await server.client(), await server.client()]
  await deaf.ok('SELECT INBOX')
  const { pieces } = server.context
  const [taken, given] = [t.mock.method(pieces, 'take').mock, t.mock.method(pieces, 'give').mock]
  deaf.socket.pause()
  for (let at = 0; at < 1000; at++) deaf.send(`d${at} FETCH 1 (BODY.PEEK[])\r\n`)
  // Until the system's buffers are full and nothing more is written for him.
  for (let before = -1; taken.callCount() !== before || before === 0; ) {
    before = taken.callCount()
    for (let at = 0; at < 50; at++) await other.ok('NOOP')
  }
  assert.ok(taken.callCount() < 1000, 'his answers wait')
  assert.ok(taken.callCount() - given.callCount() <= 2, `${taken.callCount()} - ${given.callCount()}`)
  deaf.socket.resume()
  for (let at = 0; at < 1000; at++) assert.equal((await deaf.answer(`d${at}`)).status, 'OK')
})
