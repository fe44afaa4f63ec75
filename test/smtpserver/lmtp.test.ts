import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { StoreError } from '../../src/store/error.ts'
import { openTestStore } from '../open-test-store.ts'
import { codeOf, openServer } from './smtp-server.ts'

test('LMTP has LHLO and gives one reply for each recipient that was accepted (RFC 2033 §4.2)', async t => {
  const server = await openServer(t, { defaultQuota: { bytes: 900 } })
  const client = await server.client('lmtp')
  assert.deepEqual(await client.codes('EHLO x', 'HELO x', 'MAIL FROM:<a@b>'), [
    '500 5.5.1',
    '500 5.5.1',
    '503 5.5.1',
  ])
  assert.match(await client.say('LHLO x'), /^250-mx\.example\.org\n250-PIPELINING\n/)
  await client.deliver('x'.repeat(500), 'a@b', 'ann@example.org')
  client.send(
    'MAIL FROM:<a@b>\r\nRCPT TO:<bob@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<eve@example.net>\r\nDATA\r\n',
  )
  const codes: string[] = []
  for (let i = 0; i < 6; i++) codes.push(codeOf(await client.reply()))
  assert.deepEqual(codes, ['250 2.1.0', '250 2.1.5', '550 5.1.1', '250 2.1.5', '550 5.7.1', '354'])
  client.send(`${'y'.repeat(500)}\r\n.\r\nNOOP\r\n`)
  assert.deepEqual(
    [codeOf(await client.reply()), codeOf(await client.reply()), codeOf(await client.reply())],
    ['250 2.0.0', '452 4.2.2', '250 2.0.0'],
  )
  assert.equal((await server.messages(server.bob)).length, 1)
  assert.match((await server.messages(server.bob))[0] ?? '', / with LMTP\r\n/)
})

test('DATA without a recipient is refused once (RFC 2033 §4.2)', async t => {
  const client = await (await openServer(t)).client('lmtp')
  assert.deepEqual(await client.codes('LHLO x', 'MAIL FROM:<a@b>', 'DATA', 'NOOP'), [
    '250',
    '250 2.1.0',
    '554 5.5.1',
    '250 2.0.0',
  ])
})

test('a refused message is refused for each recipient, by DATA and by BDAT', async t => {
  const server = await openServer(t)
  const client = await server.client('lmtp')
  await client.say('LHLO x')
  for (const send of ['DATA\r\na\nb\r\n.\r\n', 'BDAT 3 LAST\r\na\nb']) {
    await client.codes('MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'RCPT TO:<bob@example.org>')
    client.send(`${send}NOOP\r\n`)
    if (send.startsWith('DATA')) assert.equal(codeOf(await client.reply()), '354')
    assert.deepEqual(
      [codeOf(await client.reply()), codeOf(await client.reply()), codeOf(await client.reply())],
      ['550 5.5.2', '550 5.5.2', '250 2.0.0'],
    )
  }
})

test('LMTP is spoken over a unix socket', async t => {
  const server = await openServer(t)
  const folder = mkdtempSync(join(tmpdir(), 'lmtp-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'socket')
  await server.open('lmtp', { address: { path } })
  const socket = connect(path)
  t.after(() => socket.destroy())
  socket.write('LHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\n')
  socket.write('Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /\r\n250 2\.0\.0 Delivered as [^\r]+\r\n221 2\.0\.0 Goodbye\r\n$/)
  // No path of the server's machine is told.
  assert.match(
    (await server.messages(server.ann))[0] ?? '',
    /^Return-Path: <a@b>\r\nReceived: from x \(\[127\.0\.0\.1\]\)\r\n/,
  )
})

test('LMTP is for this machine and configured networks only', async t => {
  const stranger = (connection: object) =>
    new Proxy(connection, {
      get(target, key) {
        if (key === 'isLoopback') return false
        if (key === 'remoteAddress') return '192.0.2.7'
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  for (const [lmtpNetworks, greeting] of [
    [[], '554 5.7.1'],
    [['192.0.2.0/24'], '220'],
  ] as const) {
    const server = await openServer(t, {
      smtp: { lmtpNetworks },
      disguise: connection => stranger(connection) as typeof connection,
    })
    const listener = await server.open('lmtp')
    const socket = connect(listener.port, '127.0.0.1')
    t.after(() => socket.destroy())
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    assert.equal(codeOf(chunk.toString()), greeting)
  }
})

for (const [code, reply] of [
  ['disk-full', '452 4.3.1'],
  ['unavailable', '451 4.3.0'],
  ['corrupt', '451 4.3.0'],
] as const) {
  test(`while the store says ${code} the answer is ${reply}, and afterwards mail comes in again`, async t => {
    const store = await openTestStore()
    t.after(() => store.close())
    let isBroken = false
    const broken = new Proxy(store, {
      get(target, key) {
        if (key === 'mutate' && isBroken)
          return () => Promise.reject(new StoreError(code, 'a secret of the server'))
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    const server = await openServer(t, { store: broken })
    for (const service of ['lmtp', 'smtp'] as const) {
      const client = await server.client(service)
      await client.say(service === 'lmtp' ? 'LHLO x' : 'EHLO x')
      isBroken = true
      const refused = await client.deliver('\r\nx', 'a@b', 'ann@example.org')
      assert.equal(codeOf(refused), reply)
      assert.doesNotMatch(refused, /secret/)
      isBroken = false
      assert.equal(codeOf(await client.deliver('\r\nx', 'a@b', 'ann@example.org')), '250 2.0.0')
    }
    assert.equal((await server.messages(server.ann)).length, 2)
  })
}
