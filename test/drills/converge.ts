// Four mbsync and two imapflow sessions change one mailbox for a minute; then all have the same messages and flags.
// node test/drills/converge.ts [--count SECONDS] [--seed N] [--server dovecot] [--fault flag|lose]
import { rmSync } from 'node:fs'
import type { ImapFlow } from 'imapflow'
import { startDovecot } from '../../bench/dovecot.ts'
import { ImapClient } from '../../bench/imap-client.ts'
import { Random } from '../../bench/random.ts'
import { startRestante } from '../../bench/restante.ts'
import { password, user } from '../../bench/server.ts'
import { imapflow } from '../e2e/fetchers.ts'
import { drillMessage, idOf } from './drill-message.ts'
import { Drill } from './drill.ts'
import { type Contents, MaildirReplica } from './maildir-replica.ts'
import { parseFetches } from './mail-model.ts'

const letters: Readonly<Record<string, string>> = {
  '\\Seen': 'S',
  '\\Flagged': 'F',
  '\\Answered': 'R',
  '\\Draft': 'D',
  '\\Deleted': 'T',
}
const flagNames = ['\\Seen', '\\Flagged', '\\Answered', '\\Draft']

const drill = new Drill('converge', { count: 60, faults: ['flag', 'lose'] })
const server = drill.serverName === 'Dovecot' ? await startDovecot(2) : await startRestante(2)
const replicas = [1, 2, 3, 4].map(
  number => new MaildirReplica(`m${number}`, server, 0, new Random(drill.seed + number)),
)
const counts = { mbsyncRuns: 0, mbsyncFailures: 0, changes: 0 }

try {
  await main()
} finally {
  await server.stop()
  for (const { folder } of replicas) rmSync(folder, { recursive: true, force: true })
}
drill.finish()

async function main(): Promise<void> {
  const raw = await ImapClient.login({ port: server.ports.imap }, user(0), password)
  for (let at = 0; at < 200; at++) await raw.append('INBOX', [drillMessage(`start-${at}`, drill.random)])
  await raw.logout()
  for (const replica of replicas) await mustSync(replica)
  const sessions = [imapflow(server, 0), imapflow(server, 0)]
  for (const session of sessions) {
    await session.connect()
    await session.mailboxOpen('INBOX')
  }
  drill.say('changing')
  const end = performance.now() + drill.count * 1000
  await Promise.all([
    ...replicas.map(replica => changeReplica(replica, end)),
    ...sessions.map((session, at) => changeSession(session, new Random(drill.seed + 10 + at), end)),
  ])
  drill.say(
    `${counts.changes} changes, ${counts.mbsyncRuns} runs of mbsync, ${counts.mbsyncFailures} of them failed`,
  )
  const rounds = await settle()
  if (drill.fault !== undefined) await commitFault()
  await compareAll(sessions)
  for (const session of sessions) await session.logout()
  drill.figure('changes', counts.changes)
  drill.figure('runs of mbsync', counts.mbsyncRuns)
  drill.figure('rounds until nothing was left to do', rounds)
}

async function changeReplica(replica: MaildirReplica, end: number): Promise<void> {
  const random = new Random(drill.seed + replica.name.length)
  while (performance.now() < end) {
    for (let left = 1 + random.below(8); left > 0; left--) {
      replica.change()
      counts.changes++
    }
    counts.mbsyncRuns++
    const { code } = await replica.sync()
    // A run may meet a message that another one removed meanwhile; the next run goes on from there.
    if (code !== 0) counts.mbsyncFailures++
  }
}

async function changeSession(session: ImapFlow, random: Random, end: number): Promise<void> {
  for (let at = 0; performance.now() < end; at++) {
    const found = await session.search({ all: true }, { uid: true })
    const uids = found || []
    const dice = random.next()
    const uid = uids.length === 0 ? '' : String(random.pick(uids))
    if (uids.length < 50 || dice < 0.15) {
      const id = `flow-${at}-${random.below(1e9)}`
      await session.append('INBOX', drillMessage(id, random), ['\\Seen'])
    } else if (dice < 0.25) await session.messageDelete(uid, { uid: true })
    else if (dice < 0.6) await session.messageFlagsAdd(uid, [random.pick(flagNames)], { uid: true })
    else await session.messageFlagsRemove(uid, [random.pick(flagNames)], { uid: true })
    counts.changes++
  }
}

/** Runs every mbsync in turn until a whole round changes nothing anywhere; gives the number of rounds. */
async function settle(): Promise<number> {
  let before = ''
  for (let round = 1; round <= 12; round++) {
    for (const replica of replicas) await mustSync(replica)
    const now = JSON.stringify([
      [...(await serverContents())],
      replicas.map(replica => [...replica.contents()]),
    ])
    if (now === before) return round
    before = now
  }
  drill.violation('after 12 rounds mbsync still finds something to do')
  return 12
}

async function mustSync(replica: MaildirReplica): Promise<void> {
  counts.mbsyncRuns++
  const { code, stderr } = await replica.sync()
  if (code !== 0) drill.violation(`${replica.name}: mbsync ended with ${code}: ${stderr.slice(0, 300)}`)
}

async function compareAll(sessions: readonly ImapFlow[]): Promise<void> {
  const truth = await serverContents()
  drill.say(`the server has ${truth.size} messages`)
  drill.figure('messages at the end', truth.size)
  for (const replica of replicas) compare(replica.name, replica.contents(), truth)
  for (const [at, session] of sessions.entries()) {
    await session.noop()
    const name = `imapflow ${at + 1}`
    const exists = session.mailbox === false ? -1 : session.mailbox.exists
    if (exists !== truth.size) drill.violation(`${name} believes that there are ${exists} messages`)
    compare(name, await sessionContents(session), truth)
  }
}

function compare(name: string, contents: Contents, truth: Contents): void {
  for (const [id, flags] of truth) {
    const own = contents.get(id)
    if (own === undefined) drill.violation(`${name} has no ${id}`)
    else if (own !== flags) drill.violation(`${name} has ${id} with ${own} instead of ${flags}`)
  }
  for (const id of contents.keys())
    if (!truth.has(id)) drill.violation(`${name} has ${id} beyond the server's`)
}

/** What a session that has just begun is shown. */
async function serverContents(): Promise<Contents> {
  const client = await ImapClient.login({ port: server.ports.imap }, user(0), password)
  await client.run('EXAMINE INBOX')
  const { bytes } = await client.run('UID FETCH 1:* (UID FLAGS BODY.PEEK[])')
  await client.logout()
  const found = new Map<string, string>()
  for (const { body, flags } of parseFetches(bytes)) {
    const id = idOf(body)
    found.set(found.has(id) ? `${id} (again)` : id, lettersOf(flags))
  }
  return found
}

/** What the session is shown, message number by message number. */
async function sessionContents(session: ImapFlow): Promise<Contents> {
  const found = new Map<string, string>()
  for await (const { source, flags } of session.fetch('1:*', { source: true, flags: true })) {
    found.set(idOf(source ?? Buffer.alloc(0)), lettersOf(flags ?? []))
  }
  return found
}

function lettersOf(flags: Iterable<string>): string {
  return [...flags]
    .flatMap(flag => letters[flag] ?? [])
    .toSorted()
    .join('')
}

/** What --fault asks for. */
async function commitFault(): Promise<void> {
  if (drill.fault === 'lose') return replicas[2]?.removeOne()
  const client = await ImapClient.login({ port: server.ports.imap }, user(0), password)
  await client.run('SELECT INBOX')
  const sign = (await client.run('FETCH 1 (FLAGS)')).bytes.includes('\\Flagged') ? '-' : '+'
  await client.run(`STORE 1 ${sign}FLAGS (\\Flagged)`)
  await client.logout()
}
