// A day of a site of 100,000 accounts in minutes: two nodes over one PostgreSQL that syncs, mail by LMTP, phones, desktops, POP3 programs and mail that is sent, few of them much and
// many little; what each costs by itself, and then all together, in CPU, log and blocks. In the end everything acknowledged is there and `restante check` is clean.
// node test/drills/a-day.ts [--count ACCOUNTS] [--seed N] [--fault lose|keep]
import pg from 'pg'
import { raiseFileLimit } from '../../bench/file-limit.ts'
import { startDurablePostgres } from '../../bench/postgres.ts'
import { password } from '../../bench/server.ts'
import { percentile } from '../../bench/statistics.ts'
import { PasswordHasher } from '../../src/sasl/password.ts'
import { copyAccounts } from './copied-accounts.ts'
import { DayMeter, type Holding, type Usage } from './day-meter.ts'
import { DayTraffic, type Kind, kinds, perDay } from './day-traffic.ts'
import { Drill } from './drill.ts'
import { type Site, startSite } from './node-site.ts'

const drill = new Drill('a-day', { count: 100_000, faults: ['lose', 'keep'] })
if (drill.count < 400)
  throw new Error('--count is at least 400: fewer have no maildrop for each POP3 session')
/** As much is done as so many accounts of the mean do in a day, spread over all that there are. */
const played = Math.min(500, Math.ceil(drill.count / 10))
/** Accounts that have a session in IDLE all day. */
const desktops = Math.min(500, Math.ceil(drill.count / 10))
/** Of each kind, to see what it costs by itself. */
const samples = Math.min(200, played)
const warmUp = 20
const atOnce = 16
const quietMs = 10_000

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
    random: drill.random,
    onDone: (kind, milliseconds) => latencies.get(kind)?.push(milliseconds),
  })
  // The first sessions pay for what all share.
  await traffic.openDesktops(warmUp)
  const empty = await meter.holding()
  await traffic.openDesktops(desktops)
  const held = await meter.holding()
  const quiet = await meter.during(() => new Promise(resolve => setTimeout(resolve, quietMs)))

  const costs = new Map<Kind, Usage>()
  for (const kind of kinds) {
    costs.set(
      kind,
      await meter.during(() =>
        play(
          traffic,
          Array.from({ length: samples }, () => kind),
        ),
      ),
    )
    drill.say(`${kind}: ${describe(costs.get(kind) as Usage, samples)}`)
  }
  for (const times of latencies.values()) times.length = 0
  const events = shuffled(kinds.flatMap(kind => Array.from({ length: perDay[kind] * played }, () => kind)))
  drill.say(`the day begins: ${events.length} sessions and messages`)
  const day = await meter.during(() => play(traffic, events))
  const after = await meter.holding()
  await traffic.closeDesktops()
  drill.figure('one password hash', `${Math.round(await hashCost())} us`)
  tell(traffic, { costs, quiet, day, empty, held, after })
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

interface Measured {
  readonly costs: ReadonlyMap<Kind, Usage>
  readonly quiet: Usage
  readonly day: Usage
  readonly empty: Holding
  readonly held: Holding
  readonly after: Holding
}

/** CPU of one check of a password. */
async function hashCost(): Promise<number> {
  const hasher = new PasswordHasher()
  const stored = await hasher.hash(password)
  const before = process.cpuUsage()
  for (let left = 50; left > 0; left--) await hasher.verify(password, stored)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 50
}

function tell(traffic: DayTraffic, { costs, quiet, day, empty, held, after }: Measured): void {
  drill.figure('database', postgres.description)
  drill.figure('nothing, with all desktops in IDLE', `${describe(quiet, quiet.seconds)} in a second`)
  const sum = { nodesUs: quiet.nodesUs, postgresUs: quiet.postgresUs, walBytes: quiet.walBytes }
  for (const name of ['nodesUs', 'postgresUs', 'walBytes'] as const) sum[name] *= day.seconds / quiet.seconds
  for (const [kind, usage] of costs) {
    drill.figure(`${kind}, by itself`, describe(usage, samples))
    const factor = (perDay[kind] * played) / samples
    for (const name of ['nodesUs', 'postgresUs', 'walBytes'] as const) sum[name] += usage[name] * factor
  }
  const done = [...latencies].map(([kind, times]) => {
    const [p50, p99] = [0.5, 0.99].map(share => percentile(times, share).toFixed(1))
    return `${kind} ${times.length} x ${p50} / ${p99} ms`
  })
  drill.figure(`the day of ${played} accounts, ${atOnce} at a time, p50 / p99`, done.join(', '))
  drill.figure('it took', `${day.seconds.toFixed(0)} s`)
  drill.figure('of an account', describe(day, played))
  const ratio = (name: keyof typeof sum) => (day[name] / sum[name]).toFixed(2)
  drill.figure(
    'the day by what was reckoned from the costs, nodes / PostgreSQL / WAL',
    `${ratio('nodesUs')} / ${ratio('postgresUs')} / ${ratio('walBytes')}`,
  )
  drill.figure('rollbacks', day.rollbacks)
  drill.figure('mean message', `${(traffic.messageBytes / traffic.messages / 1000).toFixed(1)} KB`)
  const stored = traffic.acknowledged.size + traffic.submitted
  drill.figure(
    'database: empty accounts, and what a message added to it',
    `${(empty.databaseBytes / drill.count / 1000).toFixed(2)} KB, ${((after.databaseBytes - empty.databaseBytes) / stored / 1000).toFixed(1)} KB`,
  )
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
  drill.figure(
    'memory of nodes and of PostgreSQL (PSS): idle, with desktops, after the day',
    [empty, held, after].map(each => `${mb(each.nodesBytes)} + ${mb(each.postgresBytes)}`).join(', '),
  )
  drill.figure(
    `of each of ${desktops} desktops`,
    `${((held.nodesBytes - empty.nodesBytes) / desktops / 1000).toFixed(0)} KB`,
  )
}

/** One line of what each of `count` used. */
function describe(usage: Usage, count: number): string {
  const each = (name: keyof Usage, digits = 0) => (usage[name] / count).toFixed(digits)
  return [
    `nodes ${each('nodesUs')} us`,
    `PostgreSQL ${each('postgresUs')} us`,
    `WAL ${(usage.walBytes / count / 1000).toFixed(1)} KB`,
    `written ${(usage.writtenBytes / count / 1000).toFixed(1)} KB`,
    `log syncs ${each('walSyncs', 2)}`,
    `commits ${each('commits', 1)}`,
    `blocks hit ${each('blocksHit')}, read ${each('blocksRead', 1)}`,
  ].join(', ')
}

/** Everything acknowledged is in its account or was deleted by its owner, once; and what was submitted waits. */
async function judge(traffic: DayTraffic): Promise<void> {
  if (drill.fault === 'lose') traffic.acknowledged.set('day-0', 0)
  // A deletion that the drill forgets: mail that is gone without one.
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
    'messages acknowledged / of them deleted by POP3 / waiting in the queue',
    `${traffic.acknowledged.size} / ${traffic.deleted.size} / ${waiting}`,
  )
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map(item => ({ item, at: drill.random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

function fail(text: string): string {
  drill.violation(text)
  return 'failed'
}
