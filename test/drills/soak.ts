// An hour of mixed load by IMAP, LMTP, SMTP, submission and POP3, plain and over TLS: memory, files, latency and disk stay as they
// are after the warm-up, `restante check` is clean, nothing acknowledged is lost, and what was expunged leaves the disk.
// node test/drills/soak.ts [--count SECONDS] [--seed N] [--fault leak|sockets|keep|lose]
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ImapClient } from '../../bench/imap-client.ts'
import { settle } from '../../bench/mailboxes.ts'
import { openFiles, rssBytes } from '../../bench/process-tree.ts'
import { restante, startRestante } from '../../bench/restante.ts'
import { password, temporaryFolder, user } from '../../bench/server.ts'
import { Drill } from './drill.ts'
import { SoakLoad, soakAccounts } from './soak-load.ts'
import { bytesIn, growthOf, Latencies, type Sample, Sampler } from './soak-samples.ts'

const drill = new Drill('soak', { count: 3600, faults: ['leak', 'sockets', 'keep', 'lose'] })
/** Enough for medians of thirds, and no more than one a minute. */
const sampleMs = Math.min(60_000, Math.max(1000, (drill.count * 1000) / 45))
/** What segments may have left after everything was expunged: those that are written to, and what is not yet worth compacting. */
const leftMegabytes = 20
/** Mail that is there for the last expunge, beside what the load left. */
const ballastMegabytes = 100

const leakFile = join(temporaryFolder('drill-soak'), 'leak')
process.env['RESTANTE_SOAK_LEAK'] = leakFile
const hasty = ['--import', join(import.meta.dirname, 'soak-store.ts')]
const server = await startRestante(soakAccounts, { nodeFlags: hasty })
const folder = server.folder ?? ''
const latencies = new Latencies()
let operations = 0
const load = new SoakLoad({
  server,
  seed: drill.seed,
  keepsMail: drill.fault === 'keep',
  onDone: (kind, milliseconds) => {
    operations++
    latencies.add(kind, milliseconds)
  },
})
const samples: Sample[] = []

try {
  await load.prepare()
  await settle(server)
  const socketsBefore = openSockets()
  await soak()
  for (const { title, text, isTooMuch } of growthOf(samples)) {
    drill.figure(title, text)
    if (isTooMuch) drill.violation(`${title} grew: ${text}`)
  }
  drill.figure('operations', operations)
  for (const wrong of await load.judge()) drill.violation(wrong)
  await check()
  await judgeEnd(socketsBefore)
} finally {
  await server.stop()
  rmSync(dirname(leakFile), { recursive: true })
}
drill.finish()

/** The load, with a sample every so often. */
async function soak(): Promise<void> {
  const endAt = performance.now() + drill.count * 1000
  const sampler = new Sampler(server, latencies)
  load.start()
  if (drill.fault === 'leak') writeFileSync(leakFile, '')
  while (performance.now() < endAt && !load.hasFailed) {
    if (drill.fault === 'sockets') await leaveOpen()
    await pause(sampleMs)
    const sample = sampler.take()
    samples.push(sample)
    if (samples.length % 5 === 0) drill.say(describe(sample))
  }
  await load.stop()
}

/** With nobody connected: no connection is open, and what is expunged goes from the disk, of which no file stays open that is gone. */
async function judgeEnd(socketsBefore: number): Promise<void> {
  await settle(server)
  drill.figure('sockets before and after', `${socketsBefore}, ${openSockets()}`)
  if (openSockets() > socketsBefore) drill.violation(`${openSockets() - socketsBefore} more sockets are open`)
  drill.figure('resident memory without clients', megabytes(rssBytes(server.pids)))
  await load.addBallast(ballastMegabytes)
  const segments = join(folder, 'segments')
  const before = bytesIn(segments)
  await load.empty()
  const isDone = () => bytesIn(segments) <= leftMegabytes * 2 ** 20 && filesThatAreGone().length === 0
  for (let left = 120; left > 0 && !isDone(); left--) await pause(1000)
  const after = bytesIn(segments)
  drill.figure('segments before and after all was expunged', `${megabytes(before)}, ${megabytes(after)}`)
  if (after > leftMegabytes * 2 ** 20) drill.violation(`${megabytes(after)} of segments are left`)
  const gone = filesThatAreGone()
  if (gone.length > 0) drill.violation(`${gone.length} files that are gone are open, such as ${gone[0]}`)
  await check()
}

function openSockets(): number {
  return openFiles(server.pids).filter(path => path.startsWith('socket:')).length
}

function filesThatAreGone(): string[] {
  return openFiles(server.pids).filter(path => path.endsWith(' (deleted)'))
}

async function check(): Promise<void> {
  if (drill.fault === 'lose') {
    const [first = ''] = readdirSync(join(folder, 'segments')).toSorted()
    rmSync(join(folder, 'segments', first), { force: true })
  }
  try {
    await restante(folder, ['check'])
  } catch (error) {
    drill.violation(`restante check: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Sessions that nobody ends: a fault. */
async function leaveOpen(): Promise<void> {
  for (let left = 5; left > 0; left--) {
    await ImapClient.login({ port: server.ports.imap }, user(0), password)
  }
}

function describe({ rssBytes: rss, files, segmentBytes, databaseBytes, latencies: all }: Sample): string {
  const times = [...all].map(
    ([kind, { p50, p99, count }]) => `${kind} ${count} x ${p50.toFixed(1)}/${p99.toFixed(0)} ms`,
  )
  return `${megabytes(rss)}, ${files} files, segments ${megabytes(segmentBytes)}, database ${megabytes(databaseBytes)}; ${times.join(', ')}`
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}
