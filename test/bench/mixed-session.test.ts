// Mixed sessions, which the benchmarks and the soak say to servers.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { ImapClient } from '../../bench/imap-client.ts'
import { smallMessage } from '../../bench/messages.ts'
import { MixedSession, mixedMailboxes, mixedMessages } from '../../bench/mixed-session.ts'
import { Random } from '../../bench/random.ts'
import { startImap } from '../imap/harness.ts'

/** Three sessions of one seed on a server of their own; how many commands they sent and what they left. */
async function after(t: TestContext, seed: number): Promise<{ commands: number; left: string[] }> {
  const server = await startImap(t)
  const open = () => ImapClient.login({ port: server.port }, 'alice@example.test', 'secret')
  const messages = Array.from({ length: mixedMessages }, (_, number) => smallMessage(number))
  const client = await open()
  for (const mailbox of mixedMailboxes) {
    await client.run(`CREATE ${mailbox}`)
    await client.append(mailbox, messages)
  }
  const random = new Random(seed)
  let commands = 0
  for (let left = 3; left > 0; left--) {
    await new MixedSession({ open, random, onCommand: () => commands++ }).run()
  }
  const left: string[] = []
  for (const mailbox of mixedMailboxes) {
    await client.run(`SELECT ${mailbox}`)
    const { bytes } = await client.run('UID FETCH 1:* (FLAGS RFC822.SIZE)')
    left.push(bytes.toString('latin1').replace(/^qz.*$/m, ''))
  }
  await client.logout()
  return { commands, left }
}

test('mixed sessions send only what succeeds, and with one seed always the same', async t => {
  const [once, again, other] = [await after(t, 7), await after(t, 7), await after(t, 8)]
  assert.deepEqual(again, once)
  assert.notDeepEqual(other.left, once.left)
  assert.ok(once.commands > 60)
})
