// What one client asks of a large mailbox holds up nobody else: how long the event loop of a protocol thread stands still while each command runs.
// node test/drills/turns.ts [--count MESSAGES] [--fault tight]
import { writeFileSync } from 'node:fs'
import type { ImapClient } from '../../bench/imap-client.ts'
import { LoopDelayReader } from '../../bench/loop-delay.ts'
import { fill, login, restartToRest, select, settle } from '../../bench/mailboxes.ts'
import { smallMessage } from '../../bench/messages.ts'
import { Pop3Client } from '../../bench/pop3-client.ts'
import { startRestante } from '../../bench/restante.ts'
import { password, user } from '../../bench/server.ts'
import { Drill } from './drill.ts'

const drill = new Drill('turns', { count: 100_000, faults: ['tight'] })
const longestMs = drill.fault === 'tight' ? 0 : 40
/** The machine holds a thread up as well: a command that was held up once is asked again. */
const tries = 3
const mailboxes = 5000

const loopDelay = new LoopDelayReader()
const server = await startRestante(2, { loopDelay })
let longest = { ms: 0, of: 'nothing' }

try {
  await fill(server, 0, 'big', drill.count, smallMessage, 4)
  await settle(server)
  drill.say(`${drill.count} messages are there`)
  const client = await select(server, 0, 'big')
  const watcher = await select(server, 0, 'big')
  await changeFlags(client, watcher)
  await lookAtAll(client)
  await keepSearchesUpToDate(client, watcher)
  await watcher.logout()
  await copyAndExpunge(client)
  await resynchronize(client)
  await client.logout()
  await askByPop3()
  await listMailboxes()
  await comeAfterRestart()
} finally {
  await server.stop()
}
drill.figure('messages', drill.count)
drill.figure('longest turn', `${longest.ms.toFixed(1)} ms, ${longest.of}`)
drill.finish()

/** UIDs here and there, as many as a command has room for. */
function someUids(): string {
  const most = Math.min(8000, drill.count / 2)
  return Array.from({ length: most }, (_unused, at) => Math.floor((at * drill.count) / most) + 1).join(',')
}

async function changeFlags(client: ImapClient, watcher: ImapClient): Promise<void> {
  await all(client, [
    'UID STORE 1:* +FLAGS (\\Flagged)',
    'UID STORE 1:* -FLAGS.SILENT (\\Flagged)',
    'STORE 1:* +FLAGS (later)',
    'STORE 1:* -FLAGS (later)',
    `UID STORE ${someUids()} +FLAGS.SILENT (\\Answered)`,
    `UID STORE ${someUids()} -FLAGS (\\Answered)`,
    'UID STORE 1:* FLAGS (\\Seen)',
    'UID STORE 1:* -FLAGS (\\Seen)',
  ])
  await once('NOOP of another who sees it', () => watcher.drain('NOOP'))
}

async function lookAtAll(client: ImapClient): Promise<void> {
  await all(client, [
    'UID FETCH 1:* (FLAGS)',
    'FETCH 1:* (FLAGS INTERNALDATE RFC822.SIZE)',
    'UID FETCH 1:* (EMAILID THREADID SAVEDATE MODSEQ)',
    `UID FETCH ${someUids()} (FLAGS)`,
    'FETCH 1:* (ENVELOPE)',
    'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)] PREVIEW)',
    'UID SEARCH UNSEEN',
    'UID SEARCH KEYWORD later',
    `UID SEARCH UID ${someUids()}`,
    'UID SEARCH RETURN (SAVE) NOT (OR LARGER 900 SMALLER 700)',
    'UID FETCH $ (FLAGS)',
    'UID SEARCH SENTBEFORE 1-Jan-2030',
    'UID SEARCH SUBJECT railway',
    'UID SEARCH BODY ko',
    'UID SEARCH TEXT e',
    'UID SEARCH RETURN (RELEVANCY COUNT) FUZZY BODY railway',
    'UID SORT (SIZE) UTF-8 ALL',
    'UID SORT (FROM) UTF-8 ALL',
    'UID SORT (REVERSE DATE SUBJECT) UTF-8 ALL',
    'UID SORT (DISPLAYTO) UTF-8 ALL',
    'UID THREAD ORDEREDSUBJECT UTF-8 ALL',
    'UID THREAD REFERENCES UTF-8 ALL',
    'STATUS big (MESSAGES UNSEEN SIZE DELETED)',
    'UIDBATCHES 1',
  ])
}

async function keepSearchesUpToDate(client: ImapClient, watcher: ImapClient): Promise<void> {
  await once('SEARCH with UPDATE', () => client.drain('UID SEARCH RETURN (UPDATE COUNT) UNFLAGGED'))
  for (const sign of ['+', '-']) {
    await once('STORE of what another searches', () =>
      watcher.drain(`UID STORE 1:* ${sign}FLAGS.SILENT (\\Flagged)`),
    )
    await once('NOOP with a search to be kept up to date', () => client.drain('NOOP'))
  }
  await client.drain('SELECT big')
}

async function copyAndExpunge(client: ImapClient): Promise<void> {
  await client.run('CREATE second')
  await client.run('CREATE third')
  const commands = [
    'UID COPY 1:* second',
    'SELECT second',
    `UID MOVE ${someUids()} third`,
    'SELECT third',
    'UID STORE 1:* +FLAGS (\\Deleted)',
    'STATUS third (DELETED-STORAGE)',
  ]
  for (const command of commands) await once(command, () => client.drain(command))
  const watcher = await select(server, 0, 'third')
  await once('EXPUNGE', () => client.drain('EXPUNGE'))
  await once('NOOP of another after EXPUNGE', () => watcher.drain('NOOP'))
  await watcher.logout()
  for (const command of ['SELECT big', 'DELETE second', 'DELETE third', 'UID COPY 1:* INBOX'])
    await once(command, () => client.drain(command))
}

async function resynchronize(client: ImapClient): Promise<void> {
  await client.run('ENABLE QRESYNC')
  const status = (await client.run('STATUS big (UIDVALIDITY)')).bytes.toString('latin1')
  const uidValidity = /UIDVALIDITY (\d+)/.exec(status)?.[1] ?? ''
  await all(client, [
    'UID STORE 1:* (UNCHANGEDSINCE 1) +FLAGS (\\Draft)',
    'UID STORE 1:* +FLAGS.SILENT (\\Draft)',
    'UID STORE 1:* -FLAGS (\\Draft)',
    'UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)',
    `SELECT big (QRESYNC (${uidValidity} 1))`,
    `SELECT big (QRESYNC (${uidValidity} 1 ${someUids()}))`,
  ])
}

async function askByPop3(): Promise<void> {
  const logIn = () => Pop3Client.login({ port: server.ports.pop3 }, user(0), password)
  await once('POP3: log-in', async () => (await logIn()).quit())
  const client = await logIn()
  for (const command of ['LIST', 'UIDL']) await once(`POP3: ${command}`, () => client.askLines(command))
  for (let number = 1; number <= drill.count / 100; number++) await client.ask(`DELE ${number}`)
  await once('POP3: QUIT after many DELE', () => client.quit())
}

async function listMailboxes(): Promise<void> {
  const client = await login(server, 1)
  const names = Array.from({ length: mailboxes }, (_unused, at) => `CREATE box/${at % 50}/${at}`)
  for (let from = 0; from < mailboxes; from += 100) await client.pipeline(names.slice(from, from + 100))
  await all(client, [
    'LIST "" "*"',
    'LSUB "" "*"',
    'LIST "" "*" RETURN (CHILDREN SUBSCRIBED SPECIAL-USE STATUS (MESSAGES UNSEEN UIDNEXT))',
    'LIST (SUBSCRIBED RECURSIVEMATCH) "" "*"',
    'ESEARCH IN (personal) RETURN (COUNT) ALL',
    'NOTIFY SET STATUS (personal (MessageNew MessageExpunge))',
  ])
  await once('RENAME', () => client.drain('RENAME box bix'))
  await client.logout()
}

async function comeAfterRestart(): Promise<void> {
  const commands = [
    'UID STORE 1:* +FLAGS (\\Flagged)',
    'UID STORE 1:* -FLAGS.SILENT (\\Flagged)',
    'UID FETCH 1:* (FLAGS)',
    'UID SEARCH UNSEEN',
    'UID SORT (SUBJECT) UTF-8 ALL',
    'UID THREAD REFERENCES UTF-8 ALL',
    'UID FETCH 1:* (ENVELOPE)',
    'UID SEARCH BODY ko',
    'UID SEARCH SUBJECT railway',
    'UID SEARCH TEXT railway',
    'UID SEARCH SENTSINCE 1-Jan-2020',
    'UID FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])',
  ]
  for (const command of commands) {
    for (const [from, prepare] of [
      ['memory', () => {}],
      ['the disk', emptyPageCache],
    ] as const) {
      await restartToRest(server)
      const client = await login(server, 0)
      prepare()
      await once(`after a restart, from ${from}: SELECT`, () => client.drain('SELECT big'))
      prepare()
      await once(`after a restart, from ${from}: ${command}`, () => client.drain(command))
      await client.logout()
    }
  }
}

/** What is read next comes from the disk, where this may be done (Linux, root). */
function emptyPageCache(): void {
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3')
  } catch {
    // Then it comes from memory.
  }
}

/** Asks each command, those that took too long again. */
async function all(client: ImapClient, commands: readonly string[]): Promise<void> {
  for (const command of commands) {
    let least = Infinity
    for (let left = tries; left > 0 && least > longestMs / 2; left--)
      least = Math.min(least, await turnOf(() => client.drain(command)))
    report(command, least)
  }
}

/** What can't be done twice. */
async function once(what: string, work: () => Promise<unknown>): Promise<void> {
  report(what, await turnOf(work))
}

/** The longest turn of a protocol thread meanwhile, milliseconds. */
async function turnOf(work: () => Promise<unknown>): Promise<number> {
  await loopDelay.take()
  await work()
  return (await loopDelay.take()).longestMs
}

function report(what: string, ms: number): void {
  const of = what.length > 80 ? `${what.slice(0, 50)}…${what.slice(-20)}` : what
  drill.say(`${ms.toFixed(1).padStart(6)} ms  ${of}`)
  if (ms > longest.ms) longest = { ms, of }
  if (ms > longestMs) drill.violation(`${of}: the event loop stood still for ${ms.toFixed(1)} ms`)
}
