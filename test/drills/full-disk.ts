// A disk that is full: SMTP, LMTP and APPEND answer temporary errors, other commands go on; when there is room again
// everything works without a restart, and nothing acknowledged was lost. Needs root, for a small tmpfs.
// node test/drills/full-disk.ts [--count MEGABYTES] [--fault lose|refuse]
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ImapClient, RefusedError } from '../../bench/imap-client.ts'
import { restante, startRestante } from '../../bench/restante.ts'
import { password, type Server, temporaryFolder, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { drillMessage, idOf } from './drill-message.ts'
import { Drill } from './drill.ts'
import { withoutTrace } from '../e2e/mail.ts'
import { parseFetches } from './mail-model.ts'

type Way = 'SMTP' | 'LMTP' | 'APPEND'

const ways: readonly Way[] = ['SMTP', 'LMTP', 'APPEND']
const drill = new Drill('full-disk', { count: 48, faults: ['lose', 'refuse'] })
/** What was acknowledged, by its id. Each way has an account of its own: its place in `ways`. */
const ledger = new Map<string, Buffer>()
const refusals = new Map<string, number>()
let sent = 0

if (process.getuid?.() !== 0) {
  console.error('the drill has to mount a tmpfs: run it as root')
  process.exit(2)
}
const disk = temporaryFolder('drill-disk')
/** The log, beside the data, lies on the full disk too. */
const data = join(disk, 'data')
execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${drill.count}m`, 'tmpfs', disk])
try {
  await main()
} finally {
  execFileSync('umount', ['--lazy', disk])
  rmSync(disk, { recursive: true, force: true })
}
drill.finish()

async function main(): Promise<void> {
  const server = await startRestante(4, { folder: data })
  try {
    for (const way of ways) await expectAccepted(server, way)
    await fillDisk(server)
    await expectTemporaryErrors(server)
    await expectReading(server)
    rmSync(join(disk, 'ballast'))
    drill.say(`room again: ${freeKilobytes()} KB`)
    await recover(server)
    await verify(server, 'after recovery')

    drill.say('full once more, and restarted while it is')
    await fillDisk(server)
    await expectTemporaryErrors(server)
    rmSync(join(disk, 'ballast'))
    await server.restart()
    await recover(server)
    if (drill.fault === 'lose') await removeOne(server)
    await verify(server, 'after a restart')
    await restante(data, ['check']).catch((error: unknown) => drill.violation(`check: ${String(error)}`))
  } finally {
    await server.stop()
  }
  drill.figure('acknowledged', ledger.size)
  for (const [text, count] of refusals) drill.figure(`refused with ${text}`, count)
}

/** Mail until the disk is full, then a ballast file takes the last bytes. */
async function fillDisk(server: Server): Promise<void> {
  const ballast = openSync(join(disk, 'ballast'), 'a')
  const target = 4 * 1024 * 1024
  writeUntilFull(ballast, Math.max(0, freeKilobytes() * 1024 - target))
  let refused = 0
  for (let round = 0; round < 2000 && refused < 10; round++) {
    for (const way of ways) if (!(await put(server, way))) refused++
  }
  if (refused === 0) drill.violation('the disk never became full')
  writeUntilFull(ballast, Number.POSITIVE_INFINITY)
  closeSync(ballast)
  drill.say(
    `the disk is full: ${freeKilobytes()} KB free, ${ledger.size} acknowledged, ${refused} refused on the way`,
  )
}

function writeUntilFull(file: number, most: number): void {
  const page = Buffer.alloc(4096)
  try {
    for (let written = 0; written < most; written += page.length) writeSync(file, page)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}

function freeKilobytes(): number {
  const { bavail, bsize } = statfsSync(disk)
  return (bavail * bsize) / 1024
}

/** Sends one message; gives whether it was acknowledged. A refusal that isn't temporary is a violation. */
async function put(server: Server, way: Way): Promise<boolean> {
  const id = `${way}-${++sent}`
  const message = drillMessage(id, drill.random)
  const outcome = way === 'APPEND' ? await append(server, message) : await deliver(server, way, message)
  const text = outcome.slice(0, 60)
  if (outcome === 'accepted') ledger.set(id, message)
  else {
    refusals.set(`${way}: ${text}`, (refusals.get(`${way}: ${text}`) ?? 0) + 1)
    if (!isTemporary(way, outcome)) drill.violation(`${way} answers ${outcome}`)
  }
  return outcome === 'accepted'
}

/** SMTP: 4xx (RFC 5321 §4.2.1). IMAP: NO, with a code that says it is the server's (RFC 9051 §7.1, RFC 5530). */
function isTemporary(way: Way, outcome: string): boolean {
  if (drill.fault === 'refuse') return false
  return way === 'APPEND' ? /^NO \[(UNAVAILABLE|LIMIT|OVERQUOTA)\]/.test(outcome) : /^4\d\d /.test(outcome)
}

async function append(server: Server, message: Buffer): Promise<string> {
  const client = await ImapClient.login({ port: server.ports.imap }, user(ways.indexOf('APPEND')), password)
  try {
    await client.append('INBOX', [message])
    return 'accepted'
  } catch (error) {
    if (error instanceof RefusedError) return error.status
    return `a broken connection: ${String(error)}`
  } finally {
    client.destroy()
  }
}

async function deliver(server: Server, way: 'SMTP' | 'LMTP', message: Buffer): Promise<string> {
  const port = way === 'SMTP' ? server.ports.smtp : server.ports.lmtp
  const client = await SmtpClient.connect({ port: port ?? 0 }, way === 'SMTP' ? 'EHLO' : 'LHLO')
  try {
    const [reply] = await client.send('sender@example.net', [user(ways.indexOf(way))], dotStuff(message))
    return reply?.code === 250 ? 'accepted' : `${reply?.code} ${reply?.text}`
  } catch (error) {
    // Refused at MAIL, RCPT or DATA already.
    return String(error instanceof Error ? error.message : error).replace(/^refused: /, '')
  } finally {
    client.destroy()
  }
}

async function expectAccepted(server: Server, way: Way): Promise<void> {
  if (!(await put(server, way))) drill.violation(`${way} is refused while there is room`)
}

async function expectTemporaryErrors(server: Server): Promise<void> {
  let accepted = 0
  for (let round = 0; round < 10; round++) for (const way of ways) if (await put(server, way)) accepted++
  drill.say(`30 attempts on a full disk: ${30 - accepted} refused, ${accepted} still found room`)
}

/** What needs no room works: log-in, LIST, SELECT, FETCH, SEARCH, POP3's way of reading too. */
async function expectReading(server: Server): Promise<void> {
  const client = await ImapClient.login({ port: server.ports.imap }, user(2), password)
  for (const command of [
    'NOOP',
    'LIST "" *',
    'STATUS INBOX (MESSAGES)',
    'SELECT INBOX',
    'FETCH 1:* (FLAGS ENVELOPE BODY.PEEK[])',
    'SEARCH ALL',
    'UNSELECT',
    'NAMESPACE',
  ]) {
    const { status } = await client.ask(command)
    if (!status.startsWith('OK')) drill.violation(`${command} answers ${status} on a full disk`)
  }
  await client.ask('SELECT INBOX')
  const stored = await client.ask('STORE 1 +FLAGS (\\Seen)')
  drill.say(`STORE on a full disk: ${stored.status.slice(0, 60)}`)
  if (stored.status.startsWith('BAD')) drill.violation(`STORE answers ${stored.status} on a full disk`)
  await client.logout()
}

/** Each way works again within ten seconds. */
async function recover(server: Server): Promise<void> {
  const from = performance.now()
  for (const way of ways) {
    while (!(await put(server, way))) {
      if (performance.now() - from > 10_000) return drill.violation(`${way} does not recover`)
      await new Promise(resolve => setTimeout(resolve, 200))
    }
  }
  drill.say(`recovered within ${(performance.now() - from).toFixed(0)} ms`)
}

/** All that was acknowledged is there once, and nothing else. */
async function verify(server: Server, when: string): Promise<void> {
  const seen = new Map<string, number>()
  for (const account of ways.keys()) {
    const client = await ImapClient.login({ port: server.ports.imap }, user(account), password)
    await client.run('SELECT INBOX')
    const fetched = parseFetches((await client.run('UID FETCH 1:* (UID FLAGS BODY.PEEK[])')).bytes)
    for (const { body } of fetched) {
      const id = idOf(body)
      const message = ledger.get(id)
      if (message === undefined) drill.violation(`${when}: ${id} was refused and is there`)
      else if (withoutTrace(body, message) === undefined)
        drill.violation(`${when}: ${id} is not what was sent`)
      seen.set(id, (seen.get(id) ?? 0) + 1)
    }
    await client.logout()
  }
  for (const id of ledger.keys()) {
    if (seen.get(id) !== 1) drill.violation(`${when}: acknowledged ${id} is there ${seen.get(id) ?? 0} times`)
  }
  drill.say(`${when}: ${seen.size} of ${ledger.size} are there`)
}

/** The fault `lose`. */
async function removeOne(server: Server): Promise<void> {
  const client = await ImapClient.login({ port: server.ports.imap }, user(0), password)
  await client.run('SELECT INBOX')
  await client.run('STORE 3 +FLAGS (\\Deleted)')
  await client.run('EXPUNGE')
  await client.logout()
}
