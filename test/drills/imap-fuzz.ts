// A million commands, right, nearly right and wrong, from the whole command table: no crash, no hang, no SERVERBUG, each answered once, memory flat.
// node test/drills/imap-fuzz.ts [--count INPUTS] [--seed N] [--fault bug|hang|leak]
import { limits } from '../../src/base/limits.ts'
import { silentLog, type Log } from '../../src/base/log.ts'
import { startImap } from '../imap/harness.ts'
import { runFuzz } from '../imap/fuzz/run-fuzz.ts'
import { heldBytes } from '../security/held-bytes.ts'
import { Drill } from './drill.ts'

const drill = new Drill('imap-fuzz', { count: 1_000_000, faults: ['bug', 'hang', 'leak'] })
/** What caches that fill up only slowly may take. */
const growthBytes = 12 * 2 ** 20

const log: Log = {
  ...silentLog,
  error: ({ error }, message) =>
    drill.violation(`in the log: ${message}: ${error instanceof Error ? error.stack : ''}`),
  child: () => log,
}
const ends: (() => unknown)[] = []
/** Runs ahead, so that what the store keeps for a while can be let go. */
let aheadMs = 0
const server = await startImap(
  { after: end => void ends.push(end as () => unknown) },
  { log },
  { clock: { now: () => Date.now() + aheadMs } },
)
const leaked: Buffer[] = []
if (drill.fault === 'bug' || drill.fault === 'hang') spoilStore()

const held: number[] = []
const startedAt = performance.now()
const figures = await runFuzz({
  port: server.port,
  seed: drill.seed,
  count: drill.count,
  connections: 8,
  judge: {
    violation: text => drill.violation(text),
    patienceMs: drill.fault === 'hang' ? 3000 : 60_000,
  },
  onQuiet: async inputs => {
    if (drill.fault === 'leak') leaked.push(Buffer.alloc(8 * 2 ** 20))
    aheadMs += limits.store.orphanGraceMs
    await server.store.maintain()
    held.push(heldBytes())
    if (held.length % 10 === 1) drill.say(`${inputs} inputs, ${megabytes(held.at(-1))} held`)
  },
})
const seconds = (performance.now() - startedAt) / 1000
// Commands that never end keep the server from ending.
if (drill.fault !== 'hang') for (const end of ends) await end()

// The first tenth fills the caches.
const first = held[Math.floor(held.length / 10)] ?? 0
const last = held.at(-1) ?? 0
if (last - first > growthBytes) drill.violation(`memory grew from ${megabytes(first)} to ${megabytes(last)}`)
drill.figure('inputs', figures.inputs)
drill.figure('inputs per second', Math.round(figures.inputs / seconds))
drill.figure('sessions', figures.sessions)
drill.figure('commands of the table, least and most often said', spread(figures.commands))
drill.figure('answers', JSON.stringify(figures.answers))
drill.figure('held after a tenth and at the end', `${megabytes(first)}, ${megabytes(last)}`)
drill.finish()
if (drill.fault === 'hang') process.exit()

function megabytes(bytes = 0): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}

function spread(commands: ReadonlyMap<string, number>): string {
  const counts = [...commands.values()]
  return `${commands.size} names, ${Math.min(...counts)} and ${Math.max(...counts)}`
}

/** Every so often a change fails in a way that nobody expects, or never ends. */
function spoilStore(): void {
  const { store } = server
  const mutate = store.mutate.bind(store)
  let count = 0
  store.mutate = (name, args) => {
    if (++count % 100 !== 0) return mutate(name, args)
    return drill.fault === 'hang'
      ? new Promise(() => {})
      : Promise.reject(new TypeError('a fault on purpose'))
  }
}
