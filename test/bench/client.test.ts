// The raw clients against answers cut at any byte.
import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { ImapClient, RefusedError } from '../../bench/imap-client.ts'
import { dotStuff } from '../../bench/smtp-client.ts'
import { Stream } from '../../bench/stream.ts'

/** A server that says the greeting and then, for each command line, what `answer` gives for its tag, byte by byte. */
async function scripted(
  answer: (tag: string, line: string) => string,
): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket: Socket) => {
    socket.setNoDelay(true)
    socket.write('* OK hello\r\n')
    socket.on('error', () => {})
    socket.on('data', chunk => {
      for (const line of chunk.toString('latin1').split('\r\n').filter(Boolean)) {
        const text = answer(line.split(' ')[0] ?? '', line)
        for (let at = 0; at < text.length; at += 7) socket.write(text.slice(at, at + 7), 'latin1')
      }
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { port: address.port, close: () => server.close() }
}

test('an answer is read whole, with what follows kept for the next one', async () => {
  const server = await scripted(
    tag => `* 1 FETCH (BODY[] {30}\r\n${tag.slice(0, -1)} OK inside a literal.\r\n)\r\n${tag} OK done\r\n`,
  )
  const client = await ImapClient.connect(server)
  for (let round = 0; round < 20; round++) {
    const reply = await client.ask('FETCH 1 BODY[]')
    assert.equal(reply.status, 'OK done')
    assert.ok(reply.bytes.toString('latin1').startsWith('* 1 FETCH'))
  }
  client.destroy()
  server.close()
})

test('drain counts exactly the bytes of the answer', async () => {
  const filler = `* ${'x'.repeat(30_000)}\r\n`
  const server = await scripted(tag => `${filler}${tag} OK done\r\n`)
  const client = await ImapClient.connect(server)
  assert.equal(await client.drain('NOOP'), filler.length + 'qz0x1 OK done\r\n'.length)
  client.destroy()
  server.close()
})

test('NO and BAD are errors, also in a pipeline', async () => {
  const server = await scripted((tag, line) => `${tag} ${line.includes('bad') ? 'BAD no' : 'OK yes'}\r\n`)
  const client = await ImapClient.connect(server)
  await assert.rejects(client.run('bad'), RefusedError)
  await assert.rejects(client.drain('bad'), RefusedError)
  await assert.rejects(client.pipeline(['NOOP', 'bad', 'NOOP']), RefusedError)
  await client.pipeline(['NOOP', 'NOOP'])
  client.destroy()
  server.close()
})

test('a closed connection fails the wait', async () => {
  const server = createServer(socket => socket.end('half a li'))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const stream = await Stream.connect({ port: address.port })
  await assert.rejects(
    stream.until(tail => (tail.includes('\n') ? tail.length : undefined)),
    /closed/,
  )
  server.close()
})

test('dots at line starts are doubled and the end is CRLF.CRLF (RFC 5321 §4.5.2)', () => {
  const stuffed = (text: string) => dotStuff(Buffer.from(text)).toString()
  assert.equal(stuffed('a\r\n.b\r\n..\r\n'), 'a\r\n..b\r\n...\r\n.\r\n')
  assert.equal(stuffed('.\r\n.\r\n'), '..\r\n..\r\n.\r\n')
  assert.equal(stuffed('no end'), 'no end\r\n.\r\n')
})
