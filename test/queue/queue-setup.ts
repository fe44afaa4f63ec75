// A queue over a store in memory, with a clock that a test moves and servers of others on loopback.
import type { TestContext } from 'node:test'
import { accountConfigSchema } from '../../src/account/config.ts'
import { createAccount, createDomain, type Directory, openDirectory } from '../../src/account/directory.ts'
import { resolveRecipient } from '../../src/account/resolve-recipient.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { silentLog } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import { deliveryConfigSchema } from '../../src/delivery/config.ts'
import { deliver } from '../../src/delivery/deliver.ts'
import type { Addressee, Letter, Outcome } from '../../src/delivery/letter.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { queueConfigSchema } from '../../src/queue/config.ts'
import type { QueueContext } from '../../src/queue/context.ts'
import { QueueRunner } from '../../src/queue/runner.ts'
import { parseMailbox } from '../../src/smtp/mailbox.ts'
import type { RcptParameters } from '../../src/smtp/parameters.ts'
import { returnPathField } from '../../src/smtp/trace.ts'
import type { QueueMessage } from '../../src/store/queue-message.ts'
import { listQueue } from '../../src/store/read/queue.ts'
import type { Quota, Store } from '../../src/store/store.ts'
import { openTestStore } from '../open-test-store.ts'
import { fakeResolver } from '../smtpclient/fake-resolver.ts'

export interface QueueSetup {
  readonly store: Store
  readonly directory: Directory
  readonly context: QueueContext
  readonly runner: QueueRunner
  readonly clock: { nowMs: number; now(): number }
  readonly ann: AccountId
  /** The ports on loopback of the domains' servers; a domain without one can't be reached. */
  readonly ports: Map<string, number>
  deliver(
    to: string | readonly string[],
    changes?: Partial<Letter> & { rcpt?: RcptParameters; content?: string },
  ): Promise<readonly Outcome[]>
  queue(): Promise<readonly QueueMessage[]>
  /** The whole messages of an account's INBOX. */
  inbox(account?: AccountId): Promise<string[]>
  pass(hours: number): void
}

export interface QueueSetupOptions {
  readonly queue?: Record<string, unknown>
  readonly delivery?: Record<string, unknown>
  readonly defaultQuota?: Quota
}

/** Has example.org with ann; every other domain has the server mx.DOMAIN. */
export async function setUpQueue(t: TestContext, options: QueueSetupOptions = {}): Promise<QueueSetup> {
  const clock = { nowMs: Date.UTC(2026, 0, 1), now: () => clock.nowMs }
  const store = await openTestStore({ clock, defaultQuota: options.defaultQuota })
  const account = accountConfigSchema.parse({ addressing: { defaultDomain: 'example.org' } })
  const directory = openDirectory(store, account)
  await createDomain(directory, 'example.org')
  const ann = await createAccount(directory, { address: 'ann@example.org' })
  const ports = new Map<string, number>()
  const known = fakeResolver({})
  const context: QueueContext = {
    store,
    directory,
    clock,
    log: silentLog,
    metrics: silentMetrics,
    hostname: 'mx.example.org',
    config: {
      delivery: deliveryConfigSchema.parse(options.delivery ?? {}),
      queue: queueConfigSchema.parse({ jitter: 0, ...options.queue }),
    },
    resolver: {
      ...known,
      mx: domain =>
        domain === 'gone.example'
          ? known.mx(domain)
          : Promise.resolve([{ preference: 10, exchange: `mx.${domain}` }]),
      a: () => Promise.resolve(['192.0.2.1']),
    },
    deadlines: new Deadlines(),
    random: () => 0.5,
    overrideHop: hop => ({ ...hop, address: '127.0.0.1', port: ports.get(hop.host.slice(3)) ?? 1 }),
  }
  const runner = new QueueRunner(context)
  t.after(async () => {
    await runner.stop(1000)
    await store.close()
  })
  let count = 0
  return {
    store,
    directory,
    context,
    runner,
    clock,
    ann,
    ports,
    async deliver(to, { rcpt = {}, content = 'Subject: x\r\n\r\nx\r\n', ...changes } = {}) {
      const mailFrom = 'mailFrom' in changes ? changes.mailFrom : parseMailbox('ann@example.org')
      const returnPath = Buffer.from(returnPathField(mailFrom))
      const bytes = Buffer.concat([returnPath, Buffer.from(content)])
      const letter: Letter = {
        id: `t${++count}`,
        body: store.bodyOf(bytes),
        bytes,
        returnPathBytes: returnPath.length,
        mailFrom,
        bodyType: '7BIT',
        smtpUtf8: false,
        ret: undefined,
        envelopeId: undefined,
        submitter: undefined,
        ...changes,
      }
      const addressees: Addressee[] = []
      for (const address of typeof to === 'string' ? [to] : to) {
        const resolved = await resolveRecipient(store.reader, address, account.addressing)
        addressees.push({ recipient: parseMailbox(address), resolved, ...rcpt })
      }
      return deliver(context, letter, addressees)
    },
    queue: () => listQueue(store.reader),
    async inbox(of = ann) {
      const rows = await store.reader.all<{ blob: Uint8Array }>(
        `SELECT e.blob AS blob FROM message m JOIN email e ON e.account = m.account AND e.id = m.email
         JOIN mailbox b ON b.account = m.account AND b.id = m.mailbox WHERE m.account = ? AND b.name = 'INBOX' ORDER BY m.uid`,
        of,
      )
      const found: string[] = []
      for (const { blob } of rows)
        found.push((await store.readBody(of, Buffer.from(blob).toString('hex') as never)).toString())
      return found
    },
    pass(hours) {
      clock.nowMs += hours * 3_600_000
    },
  }
}
