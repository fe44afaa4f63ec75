// Every message of the corpus comes out of POP3 as it went in.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sharedFolder } from '../shared.ts'
import { startServer } from './client.ts'

const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

test('each message of the corpus is what it was, with LIST saying its size', async t => {
  if (sharedFolder === undefined) {
    t.skip('the corpus is not here')
    return
  }
  const folder = join(sharedFolder, 'corpus', 'eml')
  const messages = readdirSync(folder).map(name => readFileSync(join(folder, name)))
  const server = await startServer(t)
  await server.deliver(...messages)
  const client = await server.logIn()
  const { lines } = await client.listing('LIST')
  assert.deepEqual(
    lines,
    messages.map((message, i) => `${i + 1} ${message.length}`),
  )
  client.send(messages.map((_, i) => `RETR ${i + 1}\r\nTOP ${i + 1} 2\r\n`).join(''))
  for (const [index, message] of messages.entries()) {
    assert.equal(await client.line(), `+OK ${message.length} octets`)
    const got = await client.body()
    // POP3 cannot say that the last line has no end (RFC 1939 §3): it gets one.
    const isWhole = message.length === 0 || message.toString('latin1', message.length - 2) === '\r\n'
    const wanted = isWhole ? message : Buffer.concat([message, Buffer.from('\r\n')])
    assert.equal(digest(got), digest(wanted), `message ${index + 1}`)
    assert.match(await client.line(), /^\+OK/)
    const top = await client.body()
    // But for the end that its last line may have got.
    assert.ok(got.subarray(0, top.length - 2).equals(top.subarray(0, -2)), `top of ${index + 1}`)
  }
})
