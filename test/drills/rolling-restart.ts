// Three nodes behind HAProxy on one PostgreSQL are restarted in turn under load: no connection is refused, no session ends without a farewell, no mail is lost.
// node test/drills/rolling-restart.ts [--count ROUNDS] [--seed N] [--fault hasty|lose]; needs Debian's haproxy
import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { ImapClient } from '../../bench/imap-client.ts'
import { Random } from '../../bench/random.ts'
import { ended, endWithUs, freePorts, password, temporaryFolder, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { drillMessage, idOf } from './drill-message.ts'
import { Drill } from './drill.ts'
import { parseFetches } from './mail-model.ts'
import { type Site, type SiteNode, startSite } from './node-site.ts'

const accounts = 6
const drill = new Drill('rolling-restart', { count: 1, faults: ['hasty', 'lose'] })
// With --fault hasty the doors close as soon as /readyz says no.
const unreadyMs = drill.fault === 'hasty' ? 0 : 4000
const folder = temporaryFolder('drill-haproxy')
const counts = { imap: 0, farewells: 0, mails: 0, restarts: 0, idles: 0 }
const sent = Array.from({ length: accounts }, () => new Set<string>())
let longestGapMs = 0
let isOver = false

const site = await startSite(3, accounts, {
  toml: `proxyNetworks = ["127.0.0.0/8"]\nstop = { unreadyMs = ${unreadyMs}, drainMs = 3000 }`,
})
const [imaps = 0, smtp = 0] = await freePorts(2)
let proxy: ChildProcess | undefined
try {
  proxy = await startProxy(site)
  await main()
} finally {
  proxy?.kill('SIGTERM')
  if (proxy) await ended(proxy)
  await site.stop()
  rmSync(folder, { recursive: true, force: true })
}
drill.finish()

async function main(): Promise<void> {
  const load = [
    ...Array.from({ length: 4 }, (_, at) => readMail(at)),
    ...Array.from({ length: accounts }, (_, at) => deliver(at, new Random(drill.seed + at))),
    ...Array.from({ length: 3 }, (_, at) => idle(at)),
  ]
  for (let round = 1; round <= drill.count; round++) {
    for (const node of site.nodes) await restart(node)
  }
  isOver = true
  await Promise.all(load)
  if (drill.fault === 'lose') sent[0]?.add('never-sent')
  for (const [at, ids] of sent.entries()) await compare(at, ids)
  drill.figure('restarts of a node', counts.restarts)
  drill.figure('IMAP connections through HAProxy', counts.imap)
  drill.figure('messages acknowledged through HAProxy', counts.mails)
  drill.figure('sessions that were told to come again', counts.farewells)
  drill.figure('longest time between two answers to new connections (ms)', Math.round(longestGapMs))
}

async function restart(node: SiteNode): Promise<void> {
  drill.say(`${node.name} restarts`)
  await node.stop()
  await node.start()
  counts.restarts++
  for (;;) {
    if ((await stateOf('imaps', node)) === 'UP' && (await stateOf('smtp', node)) === 'UP') return
    await sleep(50)
  }
}

/** New connections all the time. */
async function readMail(at: number): Promise<void> {
  let lastAt = performance.now()
  while (!isOver) {
    const client = await open(() => ImapClient.connect({ port: imaps, tls: true }), 'IMAP')
    if (!client) continue
    longestGapMs = Math.max(longestGapMs, performance.now() - lastAt)
    lastAt = performance.now()
    counts.imap++
    await untilFarewell(/\* BYE/, async () => {
      await client.run(`LOGIN ${user(at % accounts)} "${password}"`)
      await client.run('SELECT INBOX')
      for (let left = 5; left > 0; left--) await client.run('NOOP')
      await client.logout()
    })
  }
}

/** Sessions that stay: they end when their node does, and are told so. */
async function idle(at: number): Promise<void> {
  while (!isOver) {
    const client = await open(() => ImapClient.connect({ port: imaps, tls: true }), 'IMAP')
    if (!client) continue
    counts.idles++
    await untilFarewell(/\* BYE/, async () => {
      await client.run(`LOGIN ${user(at)} "${password}"`)
      while (!isOver) {
        await client.run('NOOP')
        await sleep(100)
      }
      await client.logout()
    })
  }
}

async function deliver(account: number, random: Random): Promise<void> {
  for (let at = 0; !isOver; at++) {
    const id = `${account}-${at}-${random.below(1e9)}`
    const message = dotStuff(drillMessage(id, random))
    const client = await open(() => SmtpClient.connect({ port: smtp }, 'EHLO'), 'SMTP')
    if (!client) continue
    await untilFarewell(/^421|: 421/m, async () => {
      const [reply] = await client.send('sender@example.net', [user(account)], message)
      if (reply?.code === 421) throw new Error(`421 ${reply.text}`)
      if (reply?.code !== 250) drill.violation(`a message was refused: ${reply?.code} ${reply?.text}`)
      else {
        sent[account]?.add(id)
        counts.mails++
      }
      await client.quit()
    })
    await sleep(20)
  }
}

/** What connects to HAProxy is greeted, always. */
async function open<T>(connectOnce: () => Promise<T>, protocol: string): Promise<T | undefined> {
  try {
    return await connectOnce()
  } catch (error) {
    const { message } = error as Error
    // It was greeted, and its node began to stop before it said EHLO.
    if (/^EHLO \S+: 421/.test(message)) {
      counts.farewells++
      return undefined
    }
    drill.violation(`a new ${protocol} connection was not greeted: ${message.slice(0, 200)}`)
    await sleep(50)
    return undefined
  }
}

/** A session may be ended by its server, with its farewell. */
async function untilFarewell(farewell: RegExp, session: () => Promise<void>): Promise<void> {
  try {
    await session()
  } catch (error) {
    const { message } = error as Error
    if (farewell.test(message)) counts.farewells++
    else drill.violation(`a session ended without a farewell: ${message.slice(0, 300)}`)
  }
}

/** Everything that was acknowledged is there once; what was not may be there. */
async function compare(account: number, ids: ReadonlySet<string>): Promise<void> {
  const client = await ImapClient.connect({ port: imaps, tls: true })
  await client.run(`LOGIN ${user(account)} "${password}"`)
  await client.run('EXAMINE INBOX')
  const { bytes } = await client.run('UID FETCH 1:* (UID FLAGS BODY.PEEK[])')
  await client.logout()
  const found = parseFetches(bytes).map(({ body }) => idOf(body))
  if (new Set(found).size !== found.length) drill.violation(`${user(account)} has a message twice`)
  for (const id of ids) if (!found.includes(id)) drill.violation(`${user(account)}: ${id} is lost`)
}

async function startProxy({ nodes }: Site): Promise<ChildProcess> {
  const file = join(folder, 'haproxy.cfg')
  const servers = (name: 'imaps' | 'smtp', health: (node: SiteNode) => string) =>
    nodes
      .map(node => `  server ${node.name} 127.0.0.1:${node.ports[name]} send-proxy-v2 ${health(node)}`)
      .join('\n')
  writeFileSync(
    file,
    `global
  maxconn 2000
  stats socket ${join(folder, 'stats')} mode 600 level admin
defaults
  mode tcp
  balance leastconn
  option redispatch
  retries 3
  timeout connect 10s
  timeout check 10s
  timeout client 1h
  timeout server 1h
frontend imaps-in
  bind 127.0.0.1:${imaps}
  default_backend imaps
frontend smtp-in
  bind 127.0.0.1:${smtp}
  default_backend smtp
backend imaps
  option httpchk GET /readyz
  http-check expect status 200
${servers('imaps', ({ httpPort }) => `check port ${httpPort} inter 1s fall 1 rise 1`)}
backend smtp
${servers('smtp', ({ name }) => `track imaps/${name}`)}
`,
  )
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'inherit'] })
  endWithUs(child)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', error => reject(new Error(`haproxy cannot be started: ${error.message}`)))
  })
  for (const node of nodes) {
    while ((await stateOf('imaps', node).catch(() => 'not yet')) !== 'UP') {
      if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}`)
      await sleep(50)
    }
  }
  return child
}

/** `UP` once the health check has passed, or what HAProxy says instead. */
async function stateOf(backend: string, { name }: SiteNode): Promise<string> {
  const socket = connect(join(folder, 'stats'))
  socket.end('show stat\n')
  const line = (await text(socket)).split('\n').find(each => each.startsWith(`${backend},${name},`))
  // Fields of HAProxy's management guide, 9.1: the 18th is the status.
  return line?.split(',')[17]?.split(' ')[0] ?? 'unknown'
}
