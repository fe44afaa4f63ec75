import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const library = new URL('../../src/index.ts', import.meta.url).href

/** What a program of its own prints; it must end by itself. */
async function outputOf(program: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program],
    { timeout: 20_000 },
  )
  return stdout.trim()
}

test('a program ends by itself after close, with no handler of the process left', async () => {
  const program = `
    import { connect } from 'node:net'
    import { once } from 'node:events'
    import { createMailServer } from ${JSON.stringify(library)}
    const before = process.eventNames().toString()
    {
      await using server = await createMailServer()
      await server.accounts.create('ann@example.org', 'secret')
      await server.import('ann@example.org', Buffer.from('Subject: x\\r\\n\\r\\nx\\r\\n'))
      await server.waitForMessage('ann@example.org')
      // Somebody stays connected.
      for (const port of [server.ports.imap, server.ports.pop3, server.ports.smtp]) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.resume()
        await once(socket, 'data')
        socket.unref()
      }
    }
    console.log(process.eventNames().toString() === before, process.getActiveResourcesInfo().filter(name => name.startsWith('TCPServer')).length)
  `
  assert.equal(await outputOf(program), 'true 0')
})
