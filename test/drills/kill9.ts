// kill -9 of the whole server, again and again, at random moments under delivery, APPEND, STORE, COPY, MOVE, EXPUNGE and
// compaction. After each: nothing acknowledged is lost, `restante check` is clean, UIDs never name another message, and
// UIDNEXT and HIGHESTMODSEQ never go back.
// node test/drills/kill9.ts [--count KILLS] [--seed N] [--server dovecot] [--fault lose|flag|double]
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startDovecot } from '../../bench/dovecot.ts'
import { ImapClient } from '../../bench/imap-client.ts'
import { processTree } from '../../bench/process-tree.ts'
import { Random } from '../../bench/random.ts'
import { restante, startRestante } from '../../bench/restante.ts'
import { password, user } from '../../bench/server.ts'
import { percentile } from '../../bench/statistics.ts'
import { DeliveryWorker } from './delivery-worker.ts'
import { Drill } from './drill.ts'
import { ImapWorker } from './imap-worker.ts'

const drill = new Drill('kill9', { count: 100, faults: ['lose', 'flag', 'double'] })
const isDovecot = drill.serverName === 'Dovecot'
const eager = ['--import', join(import.meta.dirname, 'eager-store.ts')]
const server = isDovecot ? await startDovecot(8) : await startRestante(8, { nodeFlags: eager })
const sessions = [0, 1, 2].map(account => new ImapWorker(account, new Random(drill.seed + account)))
const deliveries = [
  new DeliveryWorker(3, 'LHLO', new Random(drill.seed + 3)),
  new DeliveryWorker(4, 'LHLO', new Random(drill.seed + 4)),
  new DeliveryWorker(5, isDovecot ? 'LHLO' : 'EHLO', new Random(drill.seed + 5)),
]
const workers = [...sessions, ...deliveries]
const readyMs: number[] = []
let cleanChecks = 0

try {
  for (const worker of workers) await worker.observe(server)
  for (let kill = 1; kill <= drill.count; kill++) {
    const moment = await workAndKill()
    const from = performance.now()
    if (kill % 2 === 0) await check()
    const restartedAt = performance.now()
    await server.restart()
    readyMs.push(performance.now() - restartedAt)
    if (kill % 2 === 1) await check()
    if (kill === 3) await commitFault()
    for (const worker of workers) {
      for (const wrong of await worker.observe(server)) drill.violation(`kill ${kill}: ${wrong}`)
    }
    if (kill % 5 === 0 || kill === drill.count) {
      const took = (performance.now() - from).toFixed(0)
      drill.say(
        `kill ${kill} after ${moment.toFixed(0)} ms, verified in ${took} ms; ${acknowledged()} acknowledged`,
      )
    }
  }
  drill.figure('kills', drill.count)
  drill.figure(
    'acknowledged changes',
    sessions.reduce((sum, { model }) => sum + model.acknowledged, 0),
  )
  drill.figure(
    'acknowledged deliveries',
    deliveries.reduce((sum, { acknowledged: count }) => sum + count, 0),
  )
  drill.figure('clean checks', cleanChecks)
  if (server.folder !== undefined) drill.figure('segments', segments(server.folder))
  drill.figure(
    'ready after a kill, p50 / max',
    `${percentile(readyMs, 0.5).toFixed(0)} / ${Math.max(...readyMs).toFixed(0)} ms`,
  )
} finally {
  await server.stop()
}
drill.finish()

/** Lets all workers work and kills the server once a random number of changes was acknowledged; gives the time that took. */
async function workAndKill(): Promise<number> {
  const from = performance.now()
  const wanted = acknowledged() + Math.floor(drill.random.next() ** 2 * 400)
  const lateness = drill.random.next() * 10
  let isKilled = false
  const ends = workers.map(async worker => {
    try {
      await worker.work(server)
    } catch (error) {
      if (!isKilled) drill.violation(`${user(worker.account)} failed before the kill: ${String(error)}`)
    }
  })
  while (acknowledged() < wanted && performance.now() - from < 5000) await pause(1)
  await pause(lateness)
  isKilled = true
  for (const pid of processTree(server.pids)) killHard(pid)
  await Promise.all(ends)
  return performance.now() - from
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** `restante check`, on the data as the kill left it or through the running server. */
async function check(): Promise<void> {
  if (server.folder === undefined) return
  try {
    await restante(server.folder, ['check'])
    cleanChecks++
  } catch (error) {
    drill.violation(`restante check: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** How many segments compaction and its rewriting have gone through, and how many are left. */
function segments(folder: string): string {
  const names = readdirSync(join(folder, 'segments')).toSorted()
  return `${Number.parseInt(names.at(-1) ?? '0', 10)} begun, ${names.length} left`
}

function acknowledged(): number {
  return (
    sessions.reduce((sum, { model }) => sum + model.acknowledged, 0) +
    deliveries.reduce((sum, { acknowledged: count }) => sum + count, 0)
  )
}

/** What --fault asks for: something that no worker knows of. */
async function commitFault(): Promise<void> {
  if (drill.fault === undefined) return
  for (const account of [0, 3]) {
    const client = await ImapClient.login({ port: server.ports.imap }, user(account), password)
    await client.run('SELECT INBOX')
    if (drill.fault === 'lose') {
      await client.run('STORE 1 +FLAGS (\\Deleted)')
      await client.run('EXPUNGE')
    } else if (drill.fault === 'flag') await client.run('STORE 1 FLAGS (unheard-of)')
    else await client.run('COPY 1 INBOX')
    await client.logout()
  }
}
