// `npm run bench [-- NAME…]`: asks the questions of both servers in turns and writes docs/performance.md.
// Options: --repetitions N, --scale 0.1 (smaller numbers, for a try), --only dovecot|restante, --no-write;
// --small: without what takes minutes to fill; --page: asks nothing, and writes the page anew from what is recorded;
// --nodes: other questions, also of nodes over PostgreSQL (--only nodes1, nodes2, nodes3; several with commas).
import { execFileSync } from 'node:child_process'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ClientProcesses } from './client-processes.ts'
import { startDovecot } from './dovecot.ts'
import { raiseFileLimit } from './file-limit.ts'
import { LoopDelayReader } from './loop-delay.ts'
import { describeMachine } from './machine.ts'
import { settle } from './mailboxes.ts'
import { startNodes } from './nodes.ts'
import { show, timesBetter, writePage } from './page.ts'
import { cpuMicroseconds } from './process-tree.ts'
import type { Bench, Question } from './question.ts'
import { connectionsAtMost } from './many-connections.ts'
import { nodesQuestions, questions } from './questions.ts'
import {
  type Figure,
  type RecordedQuestion,
  type RecordedRow,
  readPerformance,
  writePerformance,
} from './record.ts'
import { startRestante } from './restante.ts'
import { accountCount, exitOnSignals, type LoopDelay, type Server, type ServerName } from './server.ts'
import { median } from './statistics.ts'

interface Sample {
  readonly value: number
  readonly cpuMicroseconds?: number
  readonly clientShare?: number
  readonly loopDelay?: LoopDelay | undefined
}

/** Samples by row, then by server. */
type Samples = Map<string, Map<ServerName, Sample[]>>

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    repetitions: { type: 'string' },
    scale: { type: 'string', default: '1' },
    only: { type: 'string' },
    nodes: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    'no-write': { type: 'boolean', default: false },
    page: { type: 'boolean', default: false },
  },
})
const scale = Number(options.scale)
const asked = options.nodes ? nodesQuestions : questions
const starts: Readonly<Record<string, () => Promise<Server>>> = {
  dovecot: () => startDovecot(),
  restante: () => startRestante(accountCount, { loopDelay: new LoopDelayReader() }),
  ...(options.nodes && {
    nodes1: () => startNodes(1),
    nodes2: () => startNodes(2),
    nodes3: () => startNodes(3),
  }),
}
const contenders = options.only?.split(',') ?? Object.keys(starts)
const unknown = names.filter(name => asked.every(question => question.name !== name))
const strangers = contenders.filter(name => !(name in starts))
if (unknown.length + strangers.length > 0 || !(scale > 0 && scale <= 1)) {
  console.error(
    `npm run bench -- [--nodes] [--repetitions N] [--scale 0..1] [--small] [--only ${Object.keys(starts).join('|')}] [--no-write] [--page] [NAME…]`,
  )
  console.error(`names: ${asked.map(question => question.name).join(' ')}`)
  process.exit(2)
}
exitOnSignals()
process.exitCode = await main()

async function main(): Promise<number> {
  const machine = describeMachine()
  const performance = { ...readPerformance(), machine }
  if (options.page) {
    writePerformance(performance, writePage(performance))
    return 0
  }
  const servers: Server[] = []
  let failures = 0
  try {
    raiseFileLimit(connectionsAtMost + 1000)
    for (const [name, start] of Object.entries(starts)) {
      if (contenders.includes(name)) servers.push(await start())
    }
    for (const { name, version, settings } of servers) performance.servers[name] = { version, settings }
    for (const question of asked) {
      if (names.length > 0 && !names.includes(question.name)) continue
      console.log(`\n${question.name}: ${question.title}`)
      try {
        const recorded = await ask(question, servers)
        const kept = options.nodes ? 'nodesQuestions' : 'questions'
        performance[kept] = inOrder({ ...performance[kept], [question.name]: recorded })
        for (const row of Object.values(recorded.rows)) console.log(`  ${line(row)}`)
        if (!options['no-write']) writePerformance(performance, writePage(performance))
      } catch (error) {
        failures++
        console.error(`  failed: ${error instanceof Error ? error.stack : String(error)}`)
      }
    }
  } finally {
    for (const server of servers) await server.stop()
  }
  return failures === 0 ? 0 : 1
}

/** What is recorded of one question. */
async function ask(question: Question, servers: readonly Server[]): Promise<RecordedQuestion> {
  const repetitions =
    question.repetitions === 0 ? 0 : Number(options.repetitions ?? question.repetitions ?? 5)
  const samples: Samples = new Map()
  const load = loadavg()[0] ?? 0
  const first = firstOf(question)
  try {
    for (const server of servers) await question.prepare?.(surroundings(question, server, first, samples))
    await repeat(question, servers, repetitions, samples)
  } finally {
    for (const server of servers) await question.end?.(surroundings(question, server, first, samples))
  }
  const rows: Record<string, RecordedRow> = {}
  for (const [name, { title, unit, target, most }] of Object.entries(question.rows)) {
    const figures: Partial<Record<ServerName, Figure>> = {}
    for (const [server, taken] of samples.get(name) ?? []) figures[server] = figureOf(taken)
    rows[name] = {
      title,
      unit,
      ...(target !== undefined && { target }),
      ...(most !== undefined && { most }),
      figures,
    }
  }
  return {
    title: question.title,
    boundBy: question.boundBy,
    date: new Date().toISOString(),
    commit: commit(),
    repetitions,
    scale,
    load,
    rows,
  }
}

/** All repetitions, the servers in turns. */
async function repeat(
  question: Question,
  servers: readonly Server[],
  repetitions: number,
  samples: Samples,
): Promise<void> {
  for (let repetition = firstOf(question); repetition < repetitions; repetition++) {
    const turn = repetition % 2 === 0 ? servers : servers.toReversed()
    for (const server of turn) {
      // An index that is still filled, say: whoever is next would pay for it.
      await settle({ pids: servers.flatMap(({ pids }) => pids) })
      const startedAt = Date.now()
      await question.run(surroundings(question, server, repetition, samples))
      const seconds = Math.round((Date.now() - startedAt) / 1000)
      const name = repetition < 0 ? 'warm-up' : `repetition ${repetition + 1} of ${repetitions}`
      console.error(`  ${name}, ${server.name}: ${seconds} s`)
    }
  }
}

/** The number of a question's first repetition, which warms up. */
function firstOf({ warmUps = 1 }: Question): number {
  return -warmUps
}

function surroundings(question: Question, server: Server, repetition: number, samples: Samples): Bench {
  const keep = (name: string, sample: Sample) => {
    const row = question.rows[name]
    if (row === undefined) throw new Error(`${question.name} has no row ${name}`)
    if (repetition < 0 && !(row.single === true && repetition === firstOf(question))) return
    const ofRow = samples.get(name) ?? new Map<ServerName, Sample[]>()
    samples.set(name, ofRow)
    ofRow.set(server.name, [...(ofRow.get(server.name) ?? []), sample])
  }
  return {
    server,
    repetition,
    isFirst: repetition === firstOf(question),
    isSmall: options.small,
    count: full => Math.max(1, Math.round(full * scale)),
    note: (row, value) => keep(row, { value }),
    async time(row, count, work, clients) {
      await server.takeLoopDelay?.()
      const cpuBefore = cpuMicroseconds(server.pids)
      const clientsBefore = cpuOfClients(clients)
      const startedAt = performance.now()
      await work()
      const elapsedMs = performance.now() - startedAt
      const clientMicroseconds = cpuOfClients(clients).map((after, at) => after - (clientsBefore[at] ?? 0))
      const used = cpuMicroseconds(server.pids) - cpuBefore
      const unit = question.rows[row]?.unit
      const operations = typeof count === 'number' ? count : count()
      keep(row, {
        value: unit === 'ms' ? elapsedMs / operations : (operations * 1000) / elapsedMs,
        cpuMicroseconds: used / operations,
        clientShare: Math.max(...clientMicroseconds) / 1000 / elapsedMs,
        loopDelay: await server.takeLoopDelay?.(),
      })
    },
    async measure(row, work) {
      await server.takeLoopDelay?.()
      const value = await work()
      keep(row, { value, loopDelay: await server.takeLoopDelay?.() })
      return value
    },
  }
}

/** CPU time in microseconds that each process of the client has used: this one and those beside it. */
function cpuOfClients(clients: ClientProcesses<unknown> | undefined): number[] {
  const { user, system } = process.cpuUsage()
  return [user + system, ...(clients?.pids ?? []).map(pid => cpuMicroseconds([pid]))]
}

/** In the order in which questions are asked; what is no question any more goes. */
function inOrder(recorded: Readonly<Record<string, RecordedQuestion>>): Record<string, RecordedQuestion> {
  return Object.fromEntries(
    asked.flatMap(({ name }) => {
      const found = recorded[name]
      return found === undefined ? [] : [[name, found]]
    }),
  )
}

function figureOf(samples: readonly Sample[]): Figure {
  const cpu = samples.map(sample => sample.cpuMicroseconds).filter(value => value !== undefined)
  const client = samples.map(sample => sample.clientShare).filter(value => value !== undefined)
  const loops = samples.map(sample => sample.loopDelay).filter(value => value !== undefined)
  return {
    value: rounded(median(samples.map(sample => sample.value))),
    samples: samples.map(sample => rounded(sample.value)),
    ...(cpu.length > 0 && { cpuMicroseconds: rounded(median(cpu)) }),
    ...(client.length > 0 && { clientShare: rounded(median(client)) }),
    ...(loops.length > 0 && {
      loopDelay: {
        p99Ms: rounded(median(loops.map(({ p99Ms }) => p99Ms))),
        longestMs: rounded(Math.max(...loops.map(({ longestMs }) => longestMs))),
      },
    }),
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}

function line(row: RecordedRow): string {
  const figures = Object.entries(row.figures).map(([server, figure]) => {
    const cpu = figure.cpuMicroseconds === undefined ? '' : `, ${Math.round(figure.cpuMicroseconds)} us CPU`
    const client =
      figure.clientShare === undefined ? '' : `, client ${Math.round(figure.clientShare * 100)} %`
    const loop =
      figure.loopDelay === undefined
        ? ''
        : `, loop ${figure.loopDelay.p99Ms} / ${figure.loopDelay.longestMs} ms`
    return `${server} ${show(figure, row)}${cpu}${client}${loop}`
  })
  return [row.title.padEnd(40), ...figures, timesBetter(row) ?? ''].join('  ')
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' }).trim()
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src') === '' ? '' : '+')
}
