// How much slower are 200 busy clients while 10,000 connections idle?
import { ClientProcesses } from './client-processes.ts'
import { fileLimit } from './file-limit.ts'
import type { IdleTask } from './idle-client.ts'
import { fillMixed, mixedLoad } from './mixed.ts'
import type { Bench, Question } from './question.ts'
import { percentile } from './statistics.ts'

/** Connections that one process has at most: the server's. */
export const connectionsAtMost = 10_200

const busyClients = 200
/** Between the commands of each, so that it is not the queue of commands that is measured: some 2,000 come in a second. */
const pauseMs = 80
/** Dovecot has a process for each: beyond this many the machine has no memory for both. */
const idleOfDovecot = 2000
const firstIdleAccount = 2000
const idlePerAccount = 100
const idleProcesses = 2

export const manyConnectionsQuestion: Question = {
  name: 'many-connections',
  title:
    'p99 of a command of 200 busy clients (the mixed load, some 2,000 commands a second) alone, and while 10,000 others are in IDLE (Dovecot: 2,000)',
  boundBy:
    'CPU of the busy ones: an idle connection is an entry in a table of the kernel and of the server. Dovecot has a process for each.',
  repetitions: 2,
  rows: {
    idle: { title: 'connections in IDLE', unit: 'connections' },
    alone: { title: 'p50 of the busy ones, alone', unit: 'ms' },
    together: { title: 'p50 of the busy ones, together', unit: 'ms' },
    alone99: { title: 'p99 of the busy ones, alone', unit: 'ms' },
    together99: { title: 'p99 of the busy ones, together', unit: 'ms' },
    ratio: { title: 'p99 together for p99 alone', unit: 'times', most: 2 },
  },
  prepare: bench => fillMixed(bench, busyClients),
  async run(bench) {
    const alone = await busy(bench, 'alone')
    const idle = await openIdle(bench)
    try {
      const together = await busy(bench, 'together')
      const left = await idle.run()
      bench.note(
        'idle',
        left.reduce((sum, count) => sum + count, 0),
      )
      bench.note('ratio', together / alone)
    } finally {
      idle.stop()
    }
  },
}

/** The 99th percentile of the milliseconds that commands of the busy clients took. */
function busy(bench: Bench, row: 'alone' | 'together'): Promise<number> {
  const each = Math.ceil(bench.count(12_000) / busyClients)
  let p99 = 0
  return mixedLoad(bench, busyClients, each, pauseMs, async load => {
    let latencies: number[] = []
    await bench.measure(row, async () => {
      latencies = (await load.run()).flatMap(result => result.latencies)
      return percentile(latencies, 0.5)
    })
    p99 = percentile(latencies, 0.99)
    bench.note(`${row}99`, p99)
  }).then(() => p99)
}

function openIdle(bench: Bench): Promise<ClientProcesses<number>> {
  const wanted = bench.count(
    bench.server.name === 'Dovecot' ? idleOfDovecot : connectionsAtMost - busyClients,
  )
  const count = Math.min(wanted, fileLimit() - 2 * busyClients)
  const each = Math.ceil(count / idleProcesses)
  const tasks = Array.from({ length: idleProcesses }, (_, process) => ({
    port: bench.server.ports.imap,
    accounts: Array.from(
      { length: each },
      (_, at) => firstIdleAccount + Math.floor((process * each + at) / idlePerAccount),
    ),
    network: 10 + process,
  }))
  return ClientProcesses.start<IdleTask, number>('idle-client.ts', tasks)
}
