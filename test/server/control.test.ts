import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { connect } from 'node:net'
import { silentLog } from '../../src/base/log.ts'
import { limits } from '../../src/base/limits.ts'
import { ControlClient } from '../../src/server/control-client.ts'
import { encodeFrame, FrameReader } from '../../src/server/control-frame.ts'
import { type ControlOperations, controlPath, ControlServer } from '../../src/server/control-server.ts'

async function serve(context: TestContext, operations: ControlOperations): Promise<string> {
  const path = controlPath(mkdtempSync(join(tmpdir(), 'restante-control-')))
  const server = await ControlServer.start(path, operations, silentLog)
  context.after(() => server.close())
  return path
}

async function connected(context: TestContext, path: string): Promise<ControlClient> {
  const client = await ControlClient.connect(path)
  assert.ok(client)
  context.after(() => client.close())
  return client
}

test('frames are put together whatever the chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), fc.integer({ min: 1, max: 50 }), (values, size) => {
      const bytes = Buffer.concat(values.map(value => encodeFrame({ value })))
      const reader = new FrameReader()
      const seen: unknown[] = []
      for (let at = 0; at < bytes.length; at += size) seen.push(...reader.push(bytes.subarray(at, at + size)))
      assert.deepEqual(
        seen,
        values.map(value => ({ value })),
      )
    }),
  )
})

test('a frame past the limit is refused before it is read', () => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(limits.control.frameBytes + 1)
  assert.throws(() => new FrameReader().push(head), RangeError)
  head.writeUInt32BE(limits.control.frameBytes)
  assert.deepEqual(new FrameReader().push(head), [])
})

test('a request is answered, and bytes stay bytes', async context => {
  const path = await serve(context, { echo: args => Promise.resolve(args) })
  const client = await connected(context, path)
  const bytes = new Uint8Array([0, 255, 13, 10])
  assert.deepEqual(await client.call('echo', { bytes }), { bytes })
})

test('requests are answered as they end, each to its asker', async context => {
  const first = Promise.withResolvers<string>()
  const path = await serve(context, { slow: () => first.promise, quick: () => Promise.resolve('quick') })
  const client = await connected(context, path)
  const slow = client.call('slow', undefined)
  assert.equal(await client.call('quick', undefined), 'quick')
  first.resolve('slow')
  assert.equal(await slow, 'slow')
})

test('a coded error keeps its code, any other becomes a trace', async context => {
  const path = await serve(context, {
    coded: () => Promise.reject(Object.assign(new Error('the mailbox is full'), { code: 'over-quota' })),
    bug: () => Promise.reject(new Error('internals')),
  })
  const client = await connected(context, path)
  await assert.rejects(client.call('coded', undefined), {
    code: 'over-quota',
    message: 'the mailbox is full',
  })
  await assert.rejects(client.call('bug', undefined), (error: Error) => {
    assert.ok(!error.message.includes('internals'))
    assert.match(error.message, /trace [0-9a-f-]{36}/)
    return true
  })
  await assert.rejects(client.call('toString', undefined), { code: 'unknown-operation' })
})

test('a folder with a long name has a control socket too', {
  skip: process.platform !== 'linux' && 'not here',
}, async context => {
  const folder = join(mkdtempSync(join(tmpdir(), 'restante-control-')), 'x'.repeat(200))
  mkdirSync(folder)
  const path = controlPath(folder)
  assert.equal(await ControlClient.connect(path), undefined)
  const server = await ControlServer.start(path, { echo: args => Promise.resolve(args) }, silentLog)
  const client = await connected(context, path)
  assert.equal(await client.call('echo', 7), 7)
  await server.close()
  assert.equal(existsSync(path), false)
  assert.equal(await ControlClient.connect(path), undefined)
})

test('only the owner may open the socket', { skip: process.platform === 'win32' }, async context => {
  const path = await serve(context, {})
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('where no server runs there is no client, also when a crash has left the socket', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-control-'))
  assert.equal(await ControlClient.connect(join(folder, 'control.sock')), undefined)
  writeFileSync(join(folder, 'control.sock'), '')
  assert.equal(await ControlClient.connect(join(folder, 'control.sock')), undefined)
  const server = await ControlServer.start(join(folder, 'control.sock'), {}, silentLog)
  context.after(() => server.close())
  assert.ok(await connected(context, join(folder, 'control.sock')))
})

test('a call that waits is told when the server goes away', async context => {
  const path = controlPath(mkdtempSync(join(tmpdir(), 'restante-control-')))
  const asked = Promise.withResolvers<void>()
  const operations = {
    never: () => {
      asked.resolve()
      return new Promise<never>(() => {})
    },
  }
  const server = await ControlServer.start(path, operations, silentLog)
  const client = await connected(context, path)
  const rejected = assert.rejects(client.call('never', undefined), { code: 'unreachable' })
  await asked.promise
  await server.close()
  await rejected
  await assert.rejects(client.call('never', undefined), { code: 'unreachable' })
})

test('garbage ends its own connection and no other', async context => {
  const path = await serve(context, { echo: args => Promise.resolve(args) })
  const client = await connected(context, path)
  for (const garbage of [
    Buffer.alloc(64, 255),
    Buffer.from([0, 0, 0, 3, 1, 2, 3]),
    encodeFrame('no request'),
    encodeFrame(null),
  ]) {
    const socket = connect(path)
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.on('error', () => {})
    socket.write(garbage)
    await closed
  }
  assert.equal(await client.call('echo', 1), 1)
})

test('a socket that may not be opened is an error, not an absent server', {
  skip: process.getuid?.() === 0,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-control-'))
  const path = join(folder, 'control.sock')
  const server = createServer().listen(path)
  await new Promise(resolve => server.once('listening', resolve))
  const { chmodSync } = await import('node:fs')
  chmodSync(path, 0)
  await assert.rejects(ControlClient.connect(path), { code: 'unreachable' })
  server.close()
})
