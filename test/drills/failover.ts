// kill -9 of the primary database, then of a node, then of etcd's leader, again and again, under delivery by SMTP and LMTP and APPEND: two PostgreSQL under
// Patroni with synchronous replication, three members of etcd, three nodes. Every third time the primary is stopped instead, as if its machine had lost power. What was killed comes back before the next kill. In the end every acknowledged
// message is there once, with the UID that it was given, and `restante check` is clean.
// node test/drills/failover.ts [--count ROUNDS] [--seed N] [--fault lose|double]; needs Debian's patroni, etcd-server and postgresql-15
import { setTimeout as sleep } from 'node:timers/promises'
import { ImapClient } from '../../bench/imap-client.ts'
import { password, user } from '../../bench/server.ts'
import { median } from '../../bench/statistics.ts'
import { Drill } from './drill.ts'
import { LoadClient, messageOf, protocols } from './load-client.ts'
import { withoutTrace } from '../e2e/mail.ts'
import { idOf } from './drill-message.ts'
import { parseFetches } from './mail-model.ts'
import { type Site, startSite } from './node-site.ts'
import { PatroniCluster, type Revive, timing } from './patroni.ts'

const accounts = 3
const drill = new Drill('failover', { count: 10, faults: ['lose', 'double'] })
/** What is killed of the primary, in turn. */
const primaries = [
  ['server', 'the primary and its Patroni'],
  ['postgres', 'the primary alone'],
  ['machine', "the primary's machine"],
] as const
/** Longest waits of each window, by what was killed and by protocol. */
const waits = new Map<string, Map<string, number[]>>()

const cluster = await PatroniCluster.start()
let site: Site | undefined
try {
  site = await startSite(3, accounts, { url: cluster.url })
  await main(site)
} finally {
  await site?.stop()
  await cluster.stop()
}
drill.finish()

async function main({ nodes, check }: Site): Promise<void> {
  const stop = new AbortController()
  // For each account one client of each protocol, each of which begins at another node.
  const clients = Array.from({ length: accounts }, (_, account) =>
    protocols.map((protocol, at) => new LoadClient({ protocol, account, nodes, first: account + at, drill })),
  ).flat()
  const startedAt = performance.now()
  const work = Promise.all(clients.map(client => client.work(stop.signal)))
  work.catch(() => {})
  await sleep(2000)
  for (let round = 1; round <= drill.count; round++) {
    const [kind, what] = primaries[(round - 1) % primaries.length] as (typeof primaries)[number]
    await watch(clients, what, () => cluster.killPrimary(kind))
    const node = drill.random.pick(nodes)
    await watch(clients, 'a node', async () => {
      await node.kill()
      return () => node.start()
    })
    await watch(clients, "etcd's leader", async () => {
      const revive = await cluster.killEtcdLeader()
      // Patroni looks at least twice while it is gone.
      await sleep(timing.loop_wait * 2000)
      return revive
    })
  }
  stop.abort()
  await work
  const seconds = (performance.now() - startedAt) / 1000

  const first = clients[0] as LoadClient
  if (drill.fault === 'lose') first.acknowledged.set(`${first.name}-0-1`, undefined)
  for (let account = 0; account < accounts; account++) {
    const imap = await ImapClient.login({ port: nodes[0]?.ports.imap ?? 0 }, user(account), password)
    await imap.run('SELECT INBOX')
    if (drill.fault === 'double' && account === 0) await imap.run('COPY 1 INBOX')
    await compare(
      imap,
      clients.filter(client => client.account === account),
    )
    await imap.logout()
  }
  drill.figure('kills', drill.count * 3)
  for (const [what, byProtocol] of waits)
    for (const [protocol, ms] of byProtocol)
      drill.figure(`longest wait for an answer after ${what} was killed, ${protocol}, median / max`, span(ms))
  for (const protocol of protocols) {
    const own = clients.filter(client => client.protocol === protocol)
    const count = own.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
    const failures = own.reduce((sum, client) => sum + client.failures, 0)
    drill.figure(`${protocol} messages acknowledged`, `${count}, ${(count / seconds).toFixed(1)} a second`)
    drill.figure(`${protocol} attempts that failed`, failures)
  }
  drill.figure('restante check', await check().catch((error: Error) => fail(error.message)))
}

/** Kills, waits until all clients are served again and what was killed has come back, and keeps how long they waited meanwhile. */
async function watch(
  clients: readonly LoadClient[],
  what: string,
  kill: () => Promise<Revive>,
): Promise<void> {
  for (const client of clients) client.beginWindow()
  const revive = await kill()
  await Promise.all(clients.map(client => client.served()))
  await revive()
  const byProtocol = waits.get(what) ?? new Map<string, number[]>()
  waits.set(what, byProtocol)
  const told: string[] = []
  for (const protocol of protocols) {
    const own = clients.filter(client => client.protocol === protocol)
    const ms = Math.max(...own.map(client => client.longestWaitMs))
    byProtocol.set(protocol, [...(byProtocol.get(protocol) ?? []), ms])
    told.push(`${protocol} ${seconds(ms)}`)
  }
  drill.say(`${what} was killed: ${told.join(', ')}`)
  await sleep(1000)
}

/** Everything that was acknowledged is there once; what was not may be there, once. */
async function compare(imap: ImapClient, clients: readonly LoadClient[]): Promise<void> {
  const known = new Map(clients.map(client => [client.name, client]))
  const uids = new Map<string, number>()
  const exists = Number(/(\d+) EXISTS/.exec((await imap.run('SELECT INBOX')).bytes.toString())?.[1])
  for (let at = 1; at <= exists; at += 200) {
    const { bytes } = await imap.run(`FETCH ${at}:${Math.min(exists, at + 199)} (UID FLAGS BODY.PEEK[])`)
    for (const { uid, body } of parseFetches(bytes)) {
      const id = idOf(body)
      const client = known.get(id.split('-')[0] ?? '')
      if (uids.has(id)) drill.violation(`${id} is there twice`)
      uids.set(id, uid)
      if (!client) drill.violation(`UID ${uid} (${id}) came from nowhere`)
      else if (withoutTrace(body, messageOf(id)) === undefined) drill.violation(`${id} is not what was sent`)
    }
  }
  for (const { acknowledged } of clients) {
    for (const [id, uid] of acknowledged) {
      const found = uids.get(id)
      if (found === undefined) drill.violation(`acknowledged ${id} is lost`)
      else if (uid !== undefined && uid !== found) drill.violation(`${id} was UID ${uid} and is ${found}`)
    }
  }
}

function fail(text: string): string {
  drill.violation(text)
  return 'failed'
}

function span(ms: readonly number[]): string {
  return `${seconds(median(ms))} / ${seconds(Math.max(...ms))}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
