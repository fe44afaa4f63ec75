// What goes in by SMTP, by LMTP, by APPEND and by `import` comes out byte for byte, but for trace fields.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Server, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { fetchByImapflow } from './fetchers.ts'
import { asData, differences, sample, withoutTrace } from './mail.ts'
import { scratch } from './program.ts'
import { append, onlyRestante, restanteOf, startServer } from './server.ts'

test('messages come out as they went in', async context => {
  const server = await startServer(context)
  const messages = sample()

  await context.test('by APPEND', async () => {
    await append(server, 0, 'INBOX', messages)
    assert.deepEqual(differences(await fetchAll(server, 0), messages, 'bytes'), [])
  })

  await context.test('by LMTP', async () => {
    const client = await SmtpClient.connect({ port: server.ports.lmtp }, 'LHLO')
    await deliver(client, 1, messages)
    assertDelivered(await fetchAll(server, 1), messages)
  })

  await context.test('by SMTP', { skip: onlyRestante }, async () => {
    const client = await SmtpClient.connect({ port: server.ports.smtp ?? 0 }, 'EHLO')
    await deliver(client, 2, messages)
    assertDelivered(await fetchAll(server, 2), messages)
  })

  await context.test('by import, and a rerun adds nothing', { skip: onlyRestante }, async inner => {
    const folder = join(scratch(inner), 'eml')
    mkdirSync(folder)
    for (const [at, message] of messages.entries()) writeFileSync(join(folder, `${at}.eml`), message)
    for (let round = 0; round < 2; round++) {
      await restanteOf(server, ['import', 'eml', folder, '--account', user(3)])
      assert.deepEqual(differences(await fetchAll(server, 3), messages, 'bytes'), [])
    }
  })
})

async function deliver(client: SmtpClient, account: number, messages: readonly Buffer[]): Promise<void> {
  for (const message of messages) {
    const [reply] = await client.send('sender@example.net', [user(account)], dotStuff(message))
    assert.equal(reply?.code, 250, `${reply?.text}`)
  }
  await client.quit()
}

/** Each message is there with nothing but trace fields before it. */
function assertDelivered(found: readonly Buffer[], messages: readonly Buffer[]): void {
  assert.equal(found.length, messages.length)
  const bare = found.map((delivered, at) => withoutTrace(delivered, asData(messages[at] ?? Buffer.alloc(0))))
  for (const [at, message] of bare.entries()) assert.notEqual(message, undefined, `message ${at} changed`)
}

/** All messages of an INBOX in its order. */
function fetchAll(server: Server, account: number): Promise<Buffer[]> {
  return fetchByImapflow({ server, account, count: 0 })
}
