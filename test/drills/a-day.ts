// A day of a site of 100,000 accounts in minutes: two nodes over one PostgreSQL that syncs, mail by LMTP, phones, desktops, POP3 programs and mail that is sent, few of them much and
// many little; what each costs by itself, and then all together, in CPU, log and disk; from that what sites of other sizes need. In the end everything acknowledged is there and
// `restante check` is clean.
// node test/drills/a-day.ts [--count ACCOUNTS] [--seed N] [--fault lose|keep]
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { raiseFileLimit } from '../../bench/file-limit.ts'
import { startDurablePostgres } from '../../bench/postgres.ts'
import { password } from '../../bench/server.ts'
import { percentile } from '../../bench/statistics.ts'
import { PasswordHasher } from '../../src/sasl/password.ts'
import { copyAccounts } from './copied-accounts.ts'
import { DayMeter, type Holding, type Usage } from './day-meter.ts'
import { type DayOfAccount, sizingTable, type Standing } from './day-sizing.ts'
import { DayTraffic, type Kind, kinds, perDay } from './day-traffic.ts'
import { Drill } from './drill.ts'
import { type Site, startSite } from './node-site.ts'

const drill = new Drill('a-day', { count: 100_000, faults: ['lose', 'keep'] })
if (drill.count < 200)
  throw new Error('--count is at least 200: so many have a maildrop for each POP3 session')
/** Accounts whose day is played, one here and one there among all. */
const played = Math.min(500, Math.ceil(drill.count / 10))
/** Sessions in IDLE all day; some more before them pay for what all share. */
const desktops = Math.min(500, Math.ceil(drill.count / 10))
const warmUp = 20
/** Of each kind, to see what it costs by itself. */
const samples = Math.min(200, played)
const atOnce = 16
const quietMs = 10_000
/** Messages into the queue over each connection, to see how many it takes. */
const queued = 50
/** Notifications of changes of nobody who is here, and how many are in each, to see what hearing of them costs. */
const notifications = 2000
const changesEach = 10
const sizes = [10_000, 1_000_000, 100_000_000]

/** What the site used for things of a kind, and the bytes of the messages in them. */
interface Cost {
  readonly usage: Usage
  readonly messageBytes: number
}

const latencies = new Map<Kind, number[]>(kinds.map(kind => [kind, []]))
raiseFileLimit(8192)
const postgres = await startDurablePostgres()
const url = `${postgres.url}/postgres`
const client = new pg.Client({ connectionString: url })
let site: Site | undefined
try {
  await client.connect()
  // In a day sessions of an account are further apart than a password is remembered, so it is hashed each time.
  site = await startSite(2, 1, { url, toml: '[login]\ncacheMinutes = 0\n[queue]\noutbound = "none"\n' })
  await main(site)
} finally {
  await client.end()
  await site?.stop()
  await postgres.stop()
}
drill.finish()

async function main({ nodes, check }: Site): Promise<void> {
  const startedAt = performance.now()
  await copyAccounts(client, drill.count)
  drill.say(`${drill.count} accounts were made in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  const meter = new DayMeter(client, postgres.pid, () => nodes.flatMap(({ pid }) => pid ?? []))
  const traffic = new DayTraffic({
    nodes,
    accounts: drill.count,
    active: played,
    random: drill.random,
    onDone: (kind, milliseconds) => latencies.get(kind)?.push(milliseconds),
  })
  drill.figure('database', postgres.description)
  await traffic.openDesktops(warmUp)
  const empty = await meter.holding()
  await traffic.openDesktops(desktops)
  const held = await meter.holding()
  const quiet = await meter.during(() => sleep(quietMs))
  drill.figure('nothing, with all desktops in IDLE, a second', describe(quiet, quiet.seconds))

  const measure = async (events: readonly Kind[]): Promise<Cost> => {
    const bytesBefore = traffic.totals.bytes
    const usage = await meter.during(() => play(traffic, events))
    return { usage, messageBytes: traffic.totals.bytes - bytesBefore }
  }
  const costs = new Map<Kind, Cost>()
  for (const kind of kinds) {
    const cost = await measure(Array.from({ length: samples }, () => kind))
    costs.set(kind, cost)
    drill.figure(`${kind}, by itself`, describe(cost.usage, samples))
    drill.say(`${kind}: ${describe(cost.usage, samples)}`)
  }

  for (const times of latencies.values()) times.length = 0
  const events = shuffled(kinds.flatMap(kind => Array.from({ length: perDay[kind] * played }, () => kind)))
  drill.say(`the day begins: ${events.length} sessions and messages`)
  const before = traffic.totals
  const day = await measure(events)
  const done = traffic.totals
  const after = await meter.holding()
  tellDay(day.usage, quiet, costs)
  tellMemory([empty, held, after])
  await tellLimits(traffic, meter, nodes.length)

  const walOfByte = walOfBodyByte(costs)
  drill.figure('WAL for a byte of a body', walOfByte.toFixed(2))
  const messages = done.messages - before.messages
  const standing: Standing = {
    meanMessageBytes: day.messageBytes / messages,
    rowBytes: (rowsOf(after) - rowsOf(empty)) / done.messages,
    accountBytes: empty.databaseBytes / drill.count,
    connectionBytes: (held.nodesBytes - empty.nodesBytes) / desktops,
  }
  drill.figure('mean message', kilobytes(standing.meanMessageBytes))
  drill.figure('database: of an account', kilobytes(standing.accountBytes))
  drill.figure('database: of a message beside its body', kilobytes(standing.rowBytes))
  drill.figure('memory of a connection', kilobytes(standing.connectionBytes))
  const hashUs = await hashCost()
  drill.figure('one password hash', `${Math.round(hashUs)} us`)
  const net = (name: keyof Usage) =>
    (day.usage[name] - (quiet[name] * day.usage.seconds) / quiet.seconds) / played
  const logins = perDay.phone + perDay.pop3 + perDay.send
  const bodyBytes = day.messageBytes / played
  const ofAccount: DayOfAccount = {
    nodesUs: net('nodesUs'),
    hashUs: logins * hashUs,
    postgresUs: net('postgresUs'),
    walBytes: net('walBytes'),
    walBytesOfRows: net('walBytes') - walOfByte * bodyBytes,
    writtenPages: net('pageWrites'),
    walSyncs: net('walSyncs'),
    transactions: net('commits'),
    arrivals: perDay.deliver + perDay.notice,
    logins,
    submissions: perDay.send,
    stored: messages / played,
    opened: (done.opened - before.opened) / played,
  }
  console.log(`\n${sizingTable(sizes, ofAccount, standing)}`)

  await traffic.closeDesktops()
  await judge(traffic)
  drill.figure('restante check', await check().catch((error: Error) => fail(error.message)))
}

/** Does these things, so many at a time. */
async function play(traffic: DayTraffic, events: readonly Kind[]): Promise<void> {
  const next = events.entries()
  let toldAt = performance.now()
  const worker = async () => {
    for (const [at, kind] of next) {
      await traffic
        .act(kind)
        .catch((error: Error) => drill.violation(`${kind}: ${error.message.slice(0, 300)}`))
      if (performance.now() < toldAt + 30_000) continue
      toldAt = performance.now()
      drill.say(`${at} of ${events.length}`)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

/** How quick each was, and whether the day costs what its parts do. */
function tellDay(day: Usage, quiet: Usage, costs: ReadonlyMap<Kind, Cost>): void {
  for (const [kind, times] of latencies) {
    const [p50, p99] = [0.5, 0.99].map(share => percentile(times, share).toFixed(1))
    drill.figure(`${kind}, in the day`, `${times.length}, p50 ${p50} ms, p99 ${p99} ms`)
  }
  drill.figure(`the day of ${played} accounts, ${atOnce} at a time`, `${day.seconds.toFixed(0)} s`)
  drill.figure('of an account', describe(day, played))
  const ratio = (name: keyof Usage) => {
    let reckoned = (quiet[name] * day.seconds) / quiet.seconds
    for (const [kind, { usage }] of costs) reckoned += (usage[name] * perDay[kind] * played) / samples
    return (day[name] / reckoned).toFixed(2)
  }
  drill.figure(
    'the day by the sum of its parts: CPU of nodes, of PostgreSQL, WAL',
    [ratio('nodesUs'), ratio('postgresUs'), ratio('walBytes')].join(', '),
  )
  drill.figure('rollbacks', day.rollbacks)
}

function tellMemory(moments: readonly Holding[]): void {
  drill.figure(
    `memory (PSS) of nodes and PostgreSQL: at first, with ${desktops} desktops, after the day`,
    moments.map(each => `${megabytes(each.nodesBytes)} + ${megabytes(each.postgresBytes)}`).join(', '),
  )
  drill.figure('database at these moments', moments.map(each => megabytes(each.databaseBytes)).join(', '))
}

/** What all nodes share: the queue, and the news that each hears. */
async function tellLimits(traffic: DayTraffic, meter: DayMeter, nodes: number): Promise<void> {
  const seconds = await traffic.fillQueue(atOnce, queued)
  const rate = (atOnce * queued) / seconds
  drill.figure(`into the queue over ${atOnce} connections, a second`, rate.toFixed(0))
  const news = await meter.during(async () => {
    for (let left = notifications; left > 0; left--) {
      // Ids of accounts that there are not.
      const changes = Array.from({ length: changesEach }, (_, at) => `${drill.count * 2 + at}:${left + 1}`)
      await client.query('SELECT pg_notify($1, $2)', ['restante', `drill ${changes.join(' ')}`])
    }
  })
  const heard = notifications * changesEach * nodes
  drill.figure('hearing of a change of another account, each node', `${(news.nodesUs / heard).toFixed(1)} us`)
  drill.figure(
    'a notification, PostgreSQL with a listener for each node',
    `${(news.postgresUs / notifications).toFixed(0)} us`,
  )
}

/** From messages that differ in their sizes only. */
function walOfBodyByte(costs: ReadonlyMap<Kind, Cost>): number {
  const [large, small] = [costs.get('deliver'), costs.get('notice')]
  if (!(large && small)) throw new Error('both were measured')
  return (large.usage.walBytes - small.usage.walBytes) / (large.messageBytes - small.messageBytes)
}

/** CPU of one check of a password. */
async function hashCost(): Promise<number> {
  const hasher = new PasswordHasher()
  const stored = await hasher.hash(password)
  const before = process.cpuUsage()
  const checks = 50
  for (let left = checks; left > 0; left--) await hasher.verify(password, stored)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / checks
}

/** One line of what each of `count` used. */
function describe(usage: Usage, count: number): string {
  const each = (name: keyof Usage, digits = 0) => (usage[name] / count).toFixed(digits)
  return [
    `nodes ${each('nodesUs')} us`,
    `PostgreSQL ${each('postgresUs')} us`,
    `WAL ${kilobytes(usage.walBytes / count)}`,
    `log syncs ${each('walSyncs', 2)}`,
    `page writes ${each('pageWrites', 1)}`,
    `commits ${each('commits', 1)}`,
    `blocks hit ${each('blocksHit')}, read ${each('blocksRead', 1)}`,
  ].join(', ')
}

/** Everything acknowledged is in its account or was deleted by its owner, once; and what was submitted waits. */
async function judge(traffic: DayTraffic): Promise<void> {
  if (drill.fault === 'lose') traffic.acknowledged.set('day-0', 0)
  // Deletions that the drill forgets: mail that is gone without one.
  if (drill.fault === 'keep') traffic.deleted.clear()
  const { rows } = await client.query<{ id: string; number: string; copies: string }>(
    `SELECT substring(message_id from 'day-[0-9]+') AS id, substring(address from 'u([0-9]+)@') AS number, count(*) AS copies
       FROM message JOIN email ON email.account = message.account AND email.id = message.email
       JOIN account ON account.id = message.account WHERE account.id > 0 GROUP BY 1, 2`,
  )
  const found = new Map(
    rows.map(({ id, number, copies }) => [id, { account: Number(number), copies: Number(copies) }]),
  )
  if (found.size < rows.length) drill.violation('a message is in two accounts')
  for (const [id, account] of traffic.acknowledged) {
    const message = found.get(id)
    if (traffic.deleted.has(id)) {
      if (message) drill.violation(`${id} was deleted and is there`)
    } else if (message?.account !== account) drill.violation(`acknowledged ${id} is lost`)
    else if (message.copies !== 1) drill.violation(`${id} is there ${message.copies} times`)
  }
  for (const id of found.keys())
    if (!traffic.acknowledged.has(id)) drill.violation(`${id} was not acknowledged and is there`)
  const { rows: queue } = await client.query('SELECT count(*) AS waiting FROM queue_recipient')
  const waiting = Number(queue[0]?.waiting)
  if (waiting !== traffic.submitted) drill.violation(`${waiting} wait in the queue, not ${traffic.submitted}`)
  drill.figure(
    'messages acknowledged, of them deleted by POP3, waiting in the queue',
    `${traffic.acknowledged.size}, ${traffic.deleted.size}, ${waiting}`,
  )
}

function rowsOf({ databaseBytes, bodiesBytes }: Holding): number {
  return databaseBytes - bodiesBytes
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map(item => ({ item, at: drill.random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} KB`
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`
}

function fail(text: string): string {
  drill.violation(text)
  return 'failed'
}
