import assert from 'node:assert/strict'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount, openDirectory } from '../../src/account/directory.ts'
import { loadConfig } from '../../src/server/config.ts'
import { createLog } from '../../src/server/log.ts'
import { Supervisor } from '../../src/server/supervisor.ts'
import { openStore } from '../../src/store/open-store.ts'
import { LineClient } from '../library/client.ts'
import { createDatabase } from '../postgres/database.ts'
import { mail, mailboxId } from '../store/fixture.ts'

interface Started {
  readonly supervisor: Supervisor
  readonly port: number
  /** Resolves when a line with this message has been logged `count` times. */
  logged(message: string, count: number): Promise<void>
}

async function start(context: TestContext, threads: number, storeUrl?: string): Promise<Started> {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-supervisor-'))
  const config = loadConfig({ env: {}, cwd: '/', dataDir, listen: ['imap=127.0.0.1:0'] })
  const readConfig = () => ({
    ...config,
    ...(storeUrl !== undefined && { store: { ...config.store, url: storeUrl } }),
    threads,
    log: { level: 'silent', format: 'json' } as const,
  })
  const messages: string[] = []
  const waiting = new Set<() => void>()
  const log = createLog({
    level: 'info',
    format: 'json',
    write(line) {
      messages.push((JSON.parse(line) as { msg: string }).msg)
      for (const wake of waiting) wake()
    },
  })
  const supervisor = await Supervisor.start({ config: readConfig(), log, readConfig })
  context.after(() => supervisor.stop(0))
  const address = supervisor.addresses.imap?.[0]
  assert.ok(address?.kind === 'tcp')
  return {
    supervisor,
    port: address.port,
    async logged(message, count) {
      for (;;) {
        if (messages.filter(each => each === message).length >= count) return
        const woken = Promise.withResolvers<void>()
        waiting.add(woken.resolve)
        await woken.promise
        waiting.delete(woken.resolve)
      }
    },
  }
}

async function greeted(port: number): Promise<LineClient> {
  const client = await LineClient.connect(port)
  await client.until(/^\* OK.*\r\n/)
  return client
}

test('a thread that dies is replaced on its port, while the others go on', async context => {
  const { supervisor, port, logged } = await start(context, 2)
  const clients = await Promise.all(Array.from({ length: 12 }, () => greeted(port)))
  const ended = clients.map(client => client.untilEnd().then(() => client))
  supervisor.injectFault(0)
  await logged('a protocol thread died', 1)
  await Promise.race(ended)
  // Sessions of the other thread answer; which are whose is up to the kernel.
  let answered = 0
  await Promise.all(
    clients.map(async client => {
      client.send('a NOOP\r\n')
      await client.until(/^a OK.*\r\n/m).then(
        () => answered++,
        () => {},
      )
    }),
  )
  assert.ok(answered > 0 && answered < clients.length, `${answered} of ${clients.length} sessions went on`)
  // New clients are served the whole time.
  for (const client of await Promise.all(Array.from({ length: 12 }, () => greeted(port)))) client.end()
  for (const client of clients) client.end()
})

test('a thread that dies again and again is started again each time', async context => {
  const { supervisor, port, logged } = await start(context, 1)
  for (const count of [1, 2, 3]) {
    supervisor.injectFault(0)
    await logged('a protocol thread died', count)
    await logged('a protocol thread is back', count)
    const client = await greeted(port)
    client.end()
  }
})

test('a thread that was started again hears what other nodes change on PostgreSQL', async context => {
  const { url } = await createDatabase()
  const store = await openStore({ url })
  context.after(() => store.close())
  const directory = openDirectory(store, accountConfigSchema.parse({}))
  const account = await createAccount(directory, {
    address: 'ann@example.org',
    password: 'secret-pass',
    createDomain: true,
  })
  const { supervisor, port, logged } = await start(context, 1, url)
  supervisor.injectFault(0)
  await logged('a protocol thread is back', 1)
  const idle = await greeted(port)
  idle.send('a LOGIN ann@example.org secret-pass\r\nb SELECT INBOX\r\nc IDLE\r\n')
  await idle.until(/^\+ .*\r\n/m)
  const mailbox = await mailboxId(store, account, 'INBOX')
  await store.mutate('appendMessages', { account, mailbox, messages: [mail(store)] })
  await idle.until(/^\* 1 EXISTS\r\n/m)
  idle.end()
})

test('sessions that do not end are cut off when the time is over', async context => {
  const { supervisor, port } = await start(context, 1)
  const client = await greeted(port)
  // A literal that never comes.
  client.send('a LOGIN {5}\r\n')
  await client.until(/^\+.*\r\n/m)
  await supervisor.stop(50)
  await client.untilEnd()
})
