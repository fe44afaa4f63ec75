// What the soak looks at every so often, and whether it grows.
import { readdirSync, statSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import { cpuMicroseconds, openFiles, rssBytes } from '../../bench/process-tree.ts'
import type { Server } from '../../bench/server.ts'
import { median, percentile } from '../../bench/statistics.ts'
import type { Kind } from './soak-load.ts'

export interface Sample {
  readonly rssBytes: number
  readonly files: number
  /** Segments, which compaction makes smaller, and the database with its log. */
  readonly segmentBytes: number
  readonly databaseBytes: number
  /** CPU of the server for each operation since the last sample. */
  readonly cpuMicroseconds: number
  /** Of the machine, by everything that runs on it. */
  readonly load: number
  readonly latencies: ReadonlyMap<
    Kind,
    { readonly p50: number; readonly p99: number; readonly count: number }
  >
}

/** Beyond this load the machine has other work, and latencies say nothing about the server. */
const quietLoad = 2 * availableParallelism()

export class Latencies {
  #since = new Map<Kind, number[]>()

  readonly add = (kind: Kind, milliseconds: number): void => {
    const known = this.#since.get(kind)
    if (known === undefined) this.#since.set(kind, [milliseconds])
    else known.push(milliseconds)
  }

  /** Those since the last call. */
  take(): Sample['latencies'] {
    const taken = [...this.#since].map(
      ([kind, all]) =>
        [kind, { p50: percentile(all, 0.5), p99: percentile(all, 0.99), count: all.length }] as const,
    )
    this.#since = new Map()
    return new Map(taken)
  }
}

/** Takes samples of a server, each of what happened since the last. */
export class Sampler {
  readonly #server: Server
  readonly #latencies: Latencies
  #cpuMicroseconds: number

  constructor(server: Server, latencies: Latencies) {
    this.#server = server
    this.#latencies = latencies
    this.#cpuMicroseconds = cpuMicroseconds(server.pids)
  }

  take(): Sample {
    const { pids, folder = '' } = this.#server
    const latencies = this.#latencies.take()
    const operations = latencies.values().reduce((sum, { count }) => sum + count, 0)
    const cpuBefore = this.#cpuMicroseconds
    this.#cpuMicroseconds = cpuMicroseconds(pids)
    return {
      rssBytes: rssBytes(pids),
      files: openFiles(pids).length,
      segmentBytes: bytesIn(join(folder, 'segments')),
      databaseBytes: bytesIn(folder),
      cpuMicroseconds: (this.#cpuMicroseconds - cpuBefore) / Math.max(1, operations),
      load: loadavg()[0] ?? 0,
      latencies,
    }
  }
}

/** Bytes of the files of a folder, without those of folders in it. */
export function bytesIn(folder: string): number {
  let total = 0
  for (const name of readdirSync(folder)) {
    // A segment or a log may go while we look.
    const found = statSync(join(folder, name), { throwIfNoEntry: false })
    if (found?.isFile() === true) total += found.size
  }
  return total
}

/** What a figure may be in the last third, from what it was in the second one; the first is the warm-up. */
const bounds = {
  rss: {
    title: 'resident memory',
    unit: 'MB',
    times: 1.1,
    plus: 24,
    of: (sample: Sample) => sample.rssBytes / 2 ** 20,
  },
  files: { title: 'open files', unit: '', times: 1, plus: 40, of: (sample: Sample) => sample.files },
  segments: {
    title: 'segments',
    unit: 'MB',
    times: 1.3,
    plus: 24,
    of: (sample: Sample) => sample.segmentBytes / 2 ** 20,
  },
  database: {
    title: 'database',
    unit: 'MB',
    times: 1.2,
    plus: 24,
    of: (sample: Sample) => sample.databaseBytes / 2 ** 20,
  },
  cpu: {
    title: 'CPU for an operation',
    unit: 'us',
    times: 1.3,
    plus: 100,
    of: (sample: Sample) => sample.cpuMicroseconds,
  },
} as const

export interface Growth {
  readonly title: string
  readonly text: string
  readonly isTooMuch: boolean
}

/** How each figure changed from the second third of the samples to the last one (medians). Latencies are judged on a quiet machine only. */
export function growthOf(samples: readonly Sample[]): Growth[] {
  const third = Math.floor(samples.length / 3)
  const middle = samples.slice(third, 2 * third)
  const last = samples.slice(2 * third)
  const isQuiet = median([...middle, ...last].map(({ load }) => load)) <= quietLoad
  const found: Growth[] = []
  for (const { title, unit, times, plus, of } of Object.values(bounds)) {
    found.push(compare({ title, unit, times, plus, before: middle.map(of), after: last.map(of) }))
  }
  for (const kind of ['imap', 'deliver', 'pop3', 'notify'] as const) {
    const of = (which: 'p50' | 'p99') => (sample: Sample) => sample.latencies.get(kind)?.[which] ?? []
    for (const [which, times, plus] of [
      ['p50', 2, 20],
      ['p99', 2, 60],
    ] as const) {
      const [before, after] = [middle.flatMap(of(which)), last.flatMap(of(which))]
      const growth = compare({ title: `${which} of ${kind}`, unit: 'ms', times, plus, before, after })
      found.push(isQuiet ? growth : { ...growth, text: `${growth.text}, not judged`, isTooMuch: false })
    }
  }
  return found
}

function compare(given: {
  readonly title: string
  readonly unit: string
  readonly times: number
  readonly plus: number
  readonly before: readonly number[]
  readonly after: readonly number[]
}): Growth {
  const { title, unit, times, plus } = given
  const [before, after] = [median(given.before), median(given.after)]
  const most = before * times + plus
  return {
    title,
    text: `${before.toFixed(1)} then ${after.toFixed(1)} ${unit}`.trimEnd(),
    isTooMuch: after > most,
  }
}
