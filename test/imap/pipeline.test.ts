import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import type { MutationArgs, MutationName, MutationResult } from '../../src/store/mutations.ts'
import type { Store } from '../../src/store/store.ts'
import type { ImapClient } from './client.ts'
import { message, startImap, type TestServer } from './harness.ts'

/** A server whose INBOX has `count` messages and is selected. */
async function withMessages(t: TestContext, count: number): Promise<[TestServer, ImapClient]> {
  const server = await startImap(t)
  const client = await server.client()
  for (let at = 1; at <= count; at++) await client.append('INBOX', message(`mail ${at}`))
  await client.ok('SELECT INBOX')
  return [server, client]
}

/** Lets the store's changes wait until `open` is called; `asked` settles when `count` wait. */
function gate(server: TestServer, count: number) {
  const opened = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const names: string[] = []
  const { store } = server
  const gated: Pick<Store, 'mutate'> = {
    async mutate<Name extends MutationName>(
      name: Name,
      args: MutationArgs<Name>,
    ): Promise<MutationResult<Name>> {
      names.push(name)
      if (names.length === count) asked.resolve()
      await opened.promise
      return store.mutate(name, args)
    },
  }
  const behind: Store = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = key === 'mutate' ? gated.mutate : Reflect.get(target, key, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  Object.assign(server.context, { store: behind })
  return { open: opened.resolve, asked: asked.promise, names }
}

/** Sends all in one write; the tags are a1, a2 … */
function pipeline(client: ImapClient, commands: readonly string[]): void {
  client.send(commands.map((command, at) => `a${at + 1} ${command}\r\n`).join(''))
}

/** All lines up to the answer of the last of `count`. */
async function answers(client: ImapClient, count: number): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const line = await client.line()
    assert.ok(line !== undefined, `the connection ended after ${lines.join(' | ')}`)
    lines.push(line)
    if (line.startsWith(`a${count} `)) return lines
  }
}

test('commands that change the store begin while those before them wait for it, and are answered in order (RFC 9051 §5.5)', async t => {
  const [server, client] = await withMessages(t, 2)
  await client.ok('CREATE copies')
  const { open, asked, names } = gate(server, 4)
  pipeline(client, [
    'STORE 1 +FLAGS (\\Seen)',
    'UID COPY 1:2 copies',
    `APPEND INBOX {${message('new').length}+}\r\n${message('new')}`,
    'UID STORE 2 +FLAGS (\\Flagged)',
  ])
  await asked
  assert.deepEqual(names, ['storeFlags', 'copyMessages', 'appendMessages', 'storeFlags'])
  open()
  const lines = await answers(client, 4)
  assert.match(lines.join('\n'), /^\* 1 FETCH \(FLAGS \(\\Seen( \\Recent)?\)\)\na1 OK/)
  assert.deepEqual(
    lines.filter(line => /^a\d/.test(line)).map(line => line.slice(0, 5)),
    ['a1 OK', 'a2 OK', 'a3 OK', 'a4 OK'],
  )
  assert.ok(lines.includes('* 3 EXISTS'))
})

test('the store sees pipelined commands in their order: a copy has the flags from before the STORE behind it', async t => {
  const [, client] = await withMessages(t, 3)
  await client.ok('CREATE copies')
  pipeline(client, [
    'UID STORE 1:3 +FLAGS.SILENT (\\Flagged)',
    'UID COPY 1:3 copies',
    'UID STORE 1:3 +FLAGS.SILENT (\\Deleted)',
    'EXPUNGE',
  ])
  await answers(client, 4)
  await client.ok('SELECT copies')
  const flags = await client.ok('FETCH 1:3 (FLAGS)')
  assert.equal(flags.length, 3)
  for (const line of flags) {
    assert.match(line, /\\Flagged/)
    assert.doesNotMatch(line, /\\Deleted/)
  }
})

test('an EXPUNGE of another session is told by the last of the commands that have begun, so message numbers stay (RFC 9051 §7.5.1)', async t => {
  const [server, client] = await withMessages(t, 3)
  const other = await server.client()
  await other.ok('SELECT INBOX')
  const { open, asked } = gate(server, 3)
  pipeline(client, [
    'UID STORE 2 +FLAGS (\\Seen)',
    'UID STORE 3 +FLAGS (\\Seen)',
    'UID STORE 2 +FLAGS (\\Flagged)',
  ])
  await asked
  await server.store.mutate('expungeMessages', {
    account: server.account,
    mailbox: (await server.store.reader.get<{ id: never }>(`SELECT id FROM mailbox WHERE name = 'INBOX'`))!
      .id,
    uids: [[1, 1]],
    onlyDeleted: false,
  })
  open()
  const lines = await answers(client, 3)
  const gone = lines.indexOf('* 1 EXPUNGE')
  assert.deepEqual(
    lines.map((line, at) => (at < gone ? line.replace(/ \(.*/, '') : line).slice(0, 12)),
    ['* 2 FETCH', 'a1 OK UID ST', '* 3 FETCH', 'a2 OK UID ST', '* 2 FETCH', '* 1 EXPUNGE', 'a3 OK UID ST'],
  )
})

test('what a command brings is there for the one behind it, though nobody waited (RFC 9051 §5.5)', async t => {
  const [, client] = await withMessages(t, 1)
  const appended = (subject: string) => `APPEND INBOX {${message(subject).length}+}\r\n${message(subject)}`
  pipeline(client, [
    appended('two'),
    'UID STORE 1:* +FLAGS.SILENT (k1)',
    appended('three'),
    'UID STORE 3 +FLAGS.SILENT (k2)',
    'COPY 1 INBOX',
    'STORE * +FLAGS.SILENT (k3)',
    'COPY 4 INBOX',
    'FETCH 1:* (FLAGS)',
  ])
  const lines = await answers(client, 8)
  assert.deepEqual(
    lines.filter(line => line.includes('FETCH (FLAGS')).map(line => line.match(/k\d/g)?.join(' ') ?? ''),
    ['k1', 'k1', 'k2', 'k1 k3', 'k1 k3'],
  )
})

test('a command that is refused is answered behind those before it', async t => {
  const [server, client] = await withMessages(t, 1)
  const { open, asked } = gate(server, 2)
  pipeline(client, [
    'STORE 1 +FLAGS (\\Seen)',
    'STORE 1 +FLAGS (\\Flagged)',
    'STORE 7 +FLAGS (\\Seen)',
    'STORE 1 +FLAGS (\\Seen)',
    'NONSENSE',
    'NOOP',
  ])
  await asked
  open()
  const lines = await answers(client, 6)
  assert.deepEqual(
    lines.filter(line => /^a\d/.test(line)).map(line => line.split(' ', 2).join(' ')),
    ['a1 OK', 'a2 OK', 'a3 BAD', 'a4 OK', 'a5 BAD', 'a6 OK'],
  )
})

test('what the store refuses fails its own command only', async t => {
  const [, client] = await withMessages(t, 1)
  const tooMany = Array.from({ length: limits.mailbox.keywordsPerMessage + 1 }, (_, at) => `k${at}`)
  pipeline(client, [
    'STORE 1 +FLAGS (\\Seen)',
    `STORE 1 +FLAGS (${tooMany.join(' ')})`,
    'STORE 1 +FLAGS (\\Flagged)',
  ])
  const lines = await answers(client, 3)
  assert.ok(lines.some(line => line.startsWith('a2 NO [LIMIT]')))
  assert.ok(lines.at(-1)?.startsWith('a3 OK'))
  assert.match((await client.ok('FETCH 1 (FLAGS)'))[0] ?? '', /\\Flagged \\Seen|\\Seen \\Flagged/)
})

test('more commands than may wait at a time are all answered, in order', async t => {
  const [, client] = await withMessages(t, 2)
  const count = limits.imap.commandsAtOnce * 3 + 5
  pipeline(
    client,
    Array.from(
      { length: count },
      (_, at) => `UID STORE ${(at % 2) + 1} ${at % 3 ? '+' : '-'}FLAGS.SILENT (k${at})`,
    ),
  )
  const tagged = (await answers(client, count)).filter(line => /^a\d/.test(line))
  assert.deepEqual(
    tagged.map(line => line.split(' ', 2).join(' ')),
    Array.from({ length: count }, (_, at) => `a${at + 1} OK`),
  )
})

test('a client that has said all he had to say gets the answers that are still to come', async t => {
  const [server, client] = await withMessages(t, 1)
  const { open, asked } = gate(server, 2)
  pipeline(client, ['STORE 1 +FLAGS (\\Seen)', 'STORE 1 +FLAGS (\\Flagged)'])
  client.socket.end()
  await asked
  open()
  assert.match((await answers(client, 2)).at(-1) ?? '', /^a2 OK/)
  assert.equal(await client.line(), undefined)
})

test('a mailbox that is deleted under pipelined commands ends the session once', async t => {
  const [server, client] = await withMessages(t, 0)
  await client.ok('CREATE box')
  await client.append('box', message('one'))
  await client.ok('SELECT box')
  const { open, asked } = gate(server, 2)
  pipeline(client, ['STORE 1 +FLAGS (\\Seen)', 'STORE 1 +FLAGS (\\Flagged)', 'NOOP'])
  await asked
  const mailbox = (await server.store.reader.get<{ id: never }>(`SELECT id FROM mailbox WHERE name = 'box'`))!
    .id
  await server.store.mutate('deleteMailbox', { account: server.account, mailbox })
  const closed = once(client.socket, 'close')
  open()
  const lines: string[] = []
  for (let line = await client.line(); line !== undefined; line = await client.line()) lines.push(line)
  await closed
  assert.equal(lines.filter(line => line.startsWith('* BYE')).length, 1)
  assert.ok(!lines.some(line => /^a\d OK/.test(line)))
})

test('of changes that two sessions ask for at once, and that are made as one, each hears those of the other', async t => {
  const [server, first] = await withMessages(t, 4)
  const second = await server.client()
  await second.ok('SELECT INBOX')
  const { open, asked, names } = gate(server, 1)
  first.send('a1 UID STORE 1 +FLAGS.SILENT (\\Flagged)\r\na2 NOOP\r\n')
  await asked
  second.send('a1 UID STORE 2 +FLAGS.SILENT (\\Flagged)\r\na2 NOOP\r\n')
  while (names.length < 2) await new Promise(setImmediate)
  open()
  const told = (lines: string[]) => lines.filter(line => line.includes('FETCH')).map(line => line.slice(0, 9))
  assert.deepEqual(told(await answers(first, 2)), ['* 2 FETCH'])
  assert.deepEqual(told(await answers(second, 2)), ['* 1 FETCH'])
})
