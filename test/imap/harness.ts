// An IMAP server over a store in memory, on a free port, for one test.
import type { TestContext } from 'node:test'
import type { z } from 'zod'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount, openDirectory } from '../../src/account/directory.ts'
import { Login } from '../../src/account/login.ts'
import { LoginLimiter } from '../../src/account/login-limiter.ts'
import { Ascending } from '../../src/base/ascending.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { imapConfig } from '../../src/imap/config.ts'
import { RowsAhead } from '../../src/imap/fetch/rows-ahead.ts'
import { serveImap } from '../../src/imap/serve.ts'
import { OrderCache } from '../../src/imap/sort/order-cache.ts'
import type { ImapContext } from '../../src/imap/session.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { Listener } from '../../src/net/listener.ts'
import { PiecePool } from '../../src/net/piece-pool.ts'
import type { StoreOptions } from '../../src/store/store-options.ts'
import type { Store } from '../../src/store/store.ts'
import { openTestStore } from '../open-test-store.ts'
import { ImapClient } from './client.ts'

export interface TestServer {
  readonly port: number
  readonly store: Store
  readonly account: AccountId
  readonly context: ImapContext
  /** A connection of alice, logged in. */
  client(): Promise<ImapClient>
  /** A connection before log-in. */
  connect(): Promise<ImapClient>
}

/** alice@example.test, bob@example.test and carol@example.test, all with the password `secret`; cheap hashing. Over an empty store of the test's own, where `changes` has one. */
export async function startImap(
  t: Pick<TestContext, 'after'>,
  changes: Partial<ImapContext> = {},
  storeOptions: StoreOptions = {},
  login: z.input<typeof accountConfigSchema>['login'] = {},
  deadlines = new Deadlines(),
): Promise<TestServer> {
  const config = accountConfigSchema.parse({
    addressing: { defaultDomain: 'example.test' },
    login: { minPasswordCharacters: 1, hash: { memoryKib: 8, passes: 1, parallelism: 1 }, ...login },
  })
  const store =
    changes.store ??
    (await openTestStore({ clock: systemClock, log: silentLog, metrics: silentMetrics, ...storeOptions }))
  const directory = openDirectory(store, config)
  const account = await createAccount(directory, {
    address: 'alice@example.test',
    password: 'secret',
    createDomain: true,
  })
  await createAccount(directory, { address: 'bob@example.test', password: 'secret' })
  await createAccount(directory, { address: 'carol@example.test', password: 'secret' })
  const context: ImapContext = {
    store,
    login: new Login({
      directory,
      limiter: new LoginLimiter(systemClock, config.login.limiter),
      clock: systemClock,
      log: silentLog,
      metrics: silentMetrics,
      hostname: 'mail.example.test',
    }),
    clock: systemClock,
    log: silentLog,
    metrics: silentMetrics,
    config: { imap: imapConfig.parse({}) },
    hostname: 'mail.example.test',
    orders: new OrderCache(),
    pieces: new PiecePool(),
    ascending: new Ascending(),
    rowsAhead: new RowsAhead(),
    tls: undefined,
    ...changes,
  }
  const listener = await Listener.start({
    address: { host: '127.0.0.1', port: 0 },
    deadlines,
    log: silentLog,
    handle: connection => serveImap(connection, context),
  })
  const clients: ImapClient[] = []
  t.after(async () => {
    for (const client of clients) client.end()
    await listener.stop(1000)
    await store.close()
  })
  const connect = async () => {
    const client = await ImapClient.connect(listener.port)
    clients.push(client)
    return client
  }
  const client = async () => {
    const connection = await connect()
    await connection.login()
    return connection
  }
  return { port: listener.port, store, account, context, client, connect }
}

/** A small message with this subject and body. */
export function message(subject: string, body = 'Hello.\r\n', more = ''): string {
  return `From: Alice <alice@example.test>\r\nTo: bob@example.test\r\nSubject: ${subject}\r\nDate: Mon, 2 Mar 2026 10:00:00 +0000\r\nMessage-ID: <${encodeURIComponent(subject)}@example.test>\r\n${more}\r\n${body}`
}
