// docs/performance.md from the recorded figures.
import type { Unit } from './question.ts'
import { questions } from './questions.ts'
import type { Figure, Performance, RecordedQuestion, RecordedRow } from './record.ts'
import type { ServerName } from './server.ts'

export function writePage({ machine, servers, questions: recorded, nodesQuestions }: Performance): string {
  const lines = [
    '# Performance',
    '',
    'Written by `npm run bench`; `npm run bench -- NAME…` measures some questions anew and leaves the others as they are. The figures with all samples are in [performance.json](performance.json).',
    '',
    'Both servers run on one machine, are filled with the same mail by the same client, and are measured in turns: each repetition asks one server, then the other, in alternating order, after warm-ups: one, or as many as it takes until more change nothing (what the first after a restart takes is a row of its own there), and none begins before both have come to rest. The figure is the median.',
    'CPU is that of the whole process tree of the server for one operation. "Better" says how many times better Restante is (below 1: worse); "goal" is the ratio of issue 4.',
    '"Client" is the share of one CPU that the measuring client used beside Dovecot / beside Restante: near 100 % it is the client that is measured. Where it has several processes, that of the busiest.',
    '"Load before" is the load average of the machine when a question began: above 1, other programs ran on it, the times are too long for both servers, and CPU for one operation says more than they do.',
    '',
    `Machine: ${machine.cpuCount} x ${machine.cpu}, ${machine.memoryGigabytes} GB, Linux ${machine.kernel}, ${machine.fileSystem}; appending 4 KB with fdatasync takes ${machine.fdatasyncMs} ms; Node ${machine.node}.`,
    ...(machine.pageoutSeconds === undefined
      ? []
      : [
          `Its kernel takes back what nobody has read of a file for ${machine.pageoutSeconds} s: what is asked for the first time may come from the disk, for either server.`,
        ]),
    '',
  ]
  for (const [name, server] of Object.entries(servers)) {
    lines.push(`- **${name} ${server.version}**: ${server.settings.join('; ')}.`)
  }
  lines.push('')
  for (const [name, question] of Object.entries(recorded)) lines.push(...section(name, question))
  lines.push(...loopSection(Object.values(recorded)))
  lines.push(...nodesSections(nodesQuestions))
  return `${lines.join('\n').trimEnd()}\n`
}

function section(name: string, question: RecordedQuestion): string[] {
  const shortfall = questions.find(asked => asked.name === name)?.shortfall
  return [
    `## ${question.title}`,
    '',
    `${howMeasured(`npm run bench -- ${name}`, question)} Bound by: ${question.boundBy}`,
    '',
    '| | Dovecot | Restante | better | goal | CPU/op Dovecot | CPU/op Restante | CPU better | client |',
    '|---|---|---|---|---|---|---|---|---|',
    ...Object.values(question.rows).map(tableRow),
    '',
    ...(shortfall === undefined ? [] : [`**Where it is short of a goal:** ${shortfall}`, '']),
  ]
}

/** A table with a column for each server, its CPU for one operation behind its figure. */
function nodesSections(questions: Performance['nodesQuestions']): string[] {
  if (Object.keys(questions).length === 0) return []
  const lines = [
    '## On PostgreSQL',
    '',
    'Written by `npm run bench -- --nodes [NAME…]`: Dovecot, Restante with its embedded store, and one, two and three nodes over one PostgreSQL (issue 5), in turns on one machine, so that more nodes share the',
    'same CPUs and the same disk. Connections go to the nodes in turn. Behind each figure is the CPU for one operation, with that of all processes of PostgreSQL, and how many times better than Dovecot the figure is.',
    '',
  ]
  for (const [name, question] of Object.entries(questions)) {
    lines.push(
      `### ${question.title}`,
      '',
      howMeasured(`npm run bench -- --nodes ${name}`, question),
      '',
      `| | ${serverNames.join(' | ')} |`,
      `|---|${serverNames.map(() => '---|').join('')}`,
      ...Object.values(question.rows).map(row =>
        [`| ${row.title}`, ...serverNames.map(server => nodesCell(row, server))].join(' | ').concat(' |'),
      ),
      '',
    )
  }
  return lines
}

const serverNames: readonly ServerName[] = ['Dovecot', 'Restante', '1 node', '2 nodes', '3 nodes']

function nodesCell(row: RecordedRow, server: ServerName): string {
  const figure = row.figures[server]
  const ratio = server === 'Dovecot' ? undefined : timesBetter(row, server)
  return [show(figure, row), cpu(figure), ratio].filter(Boolean).join(', ')
}

function howMeasured(command: string, question: RecordedQuestion): string {
  const how = [
    `\`${command}\``,
    question.date.slice(0, 10),
    `commit ${question.commit}`,
    question.repetitions === 0 ? 'once' : `${question.repetitions} repetitions`,
    `load before ${question.load.toFixed(1)}`,
  ]
  if (question.scale !== 1) how.push(`with ${question.scale} of the full numbers`)
  return `${how.join(', ')}.`
}

function tableRow(row: RecordedRow): string {
  const { Dovecot: dovecot, Restante: restante } = row.figures
  const cells = [
    row.title,
    show(dovecot, row),
    show(restante, row),
    timesBetter(row) ?? '',
    goal(row),
    cpu(dovecot),
    cpu(restante),
    dovecot?.cpuMicroseconds !== undefined && restante?.cpuMicroseconds
      ? times(dovecot.cpuMicroseconds / restante.cpuMicroseconds)
      : '',
    [dovecot, restante].map(share).filter(Boolean).join(' / '),
  ]
  return `| ${cells.join(' | ')} |`
}

/** The bound of issue 4 for the 99th percentile of a thread's event-loop delay. */
const mostLoopDelayMs = 20

function loopSection(questions: readonly RecordedQuestion[]): string[] {
  const lines = questions.flatMap(question =>
    Object.values(question.rows).flatMap(({ title, figures }) => {
      const delay = figures.Restante?.loopDelay
      if (delay === undefined) return []
      const p99 = `${digits(delay.p99Ms)} ms${delay.p99Ms > mostLoopDelayMs ? ' (over)' : ''}`
      return [`| ${question.title}: ${title} | ${p99} | ${digits(delay.longestMs)} ms |`]
    }),
  )
  if (lines.length === 0) return []
  return [
    '## Event-loop delay of a protocol thread of Restante',
    '',
    `How late a timer of 5 ms was in the protocol thread that was later, while the clock of that row ran: the 99th percentile (median of the repetitions; goal: under ${mostLoopDelayMs} ms) and the longest of all repetitions. Where a row takes less than half a second, its 99th percentile is its longest delay. It counts the wait for a CPU as well, so a busy machine shows here too.`,
    '',
    ...(lines.some(line => line.includes('(over)')) ? [`**Where it is over:** ${loopShortfall}`, ''] : []),
    '| workload | p99 | longest |',
    '|---|---|---|',
    ...lines,
    '',
  ]
}

const loopShortfall =
  'No turn of a thread is known that takes so long: with 64 APPENDs at once 5 ms of CPU at most. The rest is the wait for a CPU, where more threads are busy than there are.'

function goal({ target, most, unit }: RecordedRow): string {
  if (most !== undefined) return `≤ ${showValue(most, unit)}`
  return target === undefined ? '' : `${target}x`
}

/** How many times better than Dovecot a server is, or undefined where one of the two is missing. */
export function timesBetter(row: RecordedRow, server: ServerName = 'Restante'): string | undefined {
  const { Dovecot: dovecot, [server]: restante } = row.figures
  if (dovecot === undefined || restante === undefined) return undefined
  if (row.unit === 'connections') return undefined
  const lessIsBetter = row.unit === 'ms' || row.unit === 'KB' || row.unit === 'times'
  if (lessIsBetter && restante.value <= 0) return 'not measurable'
  return times(lessIsBetter ? dovecot.value / restante.value : restante.value / dovecot.value)
}

export function show(figure: Figure | undefined, row: RecordedRow): string {
  return figure === undefined ? '' : showValue(figure.value, row.unit)
}

function showValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'per second':
      return `${digits(value)}/s`
    case 'times':
      return `${digits(value)}x`
    case 'connections':
      return digits(value)
    case 'ms':
    case 'KB':
    case 'MB/s':
      return `${digits(value)} ${unit}`
  }
}

function cpu(figure: Figure | undefined): string {
  return figure?.cpuMicroseconds === undefined ? '' : `${digits(figure.cpuMicroseconds)} us`
}

function share(figure: Figure | undefined): string {
  return figure?.clientShare === undefined ? '' : `${Math.round(figure.clientShare * 100)} %`
}

function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(2)}x`
}

/** Three digits that matter; thousands separated. */
function digits(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}
