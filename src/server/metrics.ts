// Counters, gauges and timings of all threads in one place, in the text that Prometheus reads.
// Prometheus text exposition format 0.0.4; OpenMetrics' naming.
import type { Metrics } from '../base/metrics.ts'

type Labels = Readonly<Record<string, string>>

/** Upper bounds of the timings' buckets, seconds. */
const bucketBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** Different label sets of one name that are kept; more are a bug and are counted together under no labels. */
const seriesPerName = 1000

/** A timing's samples, counted by bucket (not cumulated; the last is for all above). */
interface Timing {
  readonly buckets: number[]
  sum: number
}

/** What one source has to tell since it last told: counts and timings are differences, gauges are values. */
export interface MetricsBatch {
  readonly counts: readonly (readonly [name: string, labels: string, by: number])[]
  readonly gauges: readonly (readonly [name: string, labels: string, value: number])[]
  readonly timings: readonly (readonly [
    name: string,
    labels: string,
    buckets: readonly number[],
    sum: number,
  ])[]
}

/** Gathers what one thread counts until the supervisor takes it. */
export class ThreadMetrics implements Metrics {
  readonly #counts = new Map<string, Map<string, number>>()
  readonly #gauges = new Map<string, Map<string, number>>()
  readonly #timings = new Map<string, Map<string, Timing>>()

  count(name: string, labels?: Labels, by = 1): void {
    const series = seriesOf(this.#counts, name)
    const key = boundedKey(series, labels)
    series.set(key, (series.get(key) ?? 0) + by)
  }

  gauge(name: string, value: number, labels?: Labels): void {
    const series = seriesOf(this.#gauges, name)
    series.set(boundedKey(series, labels), value)
  }

  observe(name: string, seconds: number, labels?: Labels): void {
    const series = seriesOf(this.#timings, name)
    const key = boundedKey(series, labels)
    let timing = series.get(key)
    if (!timing) series.set(key, (timing = { buckets: new Array(bucketBounds.length + 1).fill(0), sum: 0 }))
    const bucket = bucketBounds.findIndex(bound => seconds <= bound)
    const index = bucket === -1 ? bucketBounds.length : bucket
    timing.buckets[index] = (timing.buckets[index] ?? 0) + 1
    timing.sum += seconds
  }

  /** What happened since the last call; undefined when nothing did. */
  take(): MetricsBatch | undefined {
    const batch: MetricsBatch = {
      counts: flatten(this.#counts),
      gauges: flatten(this.#gauges),
      timings: flatten(this.#timings).map(
        ([name, key, { buckets, sum }]) => [name, key, buckets, sum] as const,
      ),
    }
    this.#counts.clear()
    this.#gauges.clear()
    this.#timings.clear()
    return batch.counts.length + batch.gauges.length + batch.timings.length === 0 ? undefined : batch
  }
}

/** The sum of all threads. */
export class MetricsRegistry {
  readonly #counts = new Map<string, Map<string, number>>()
  /** By source, since a thread's gauges end with it. */
  readonly #gauges = new Map<string, Map<string, Map<string, number>>>()
  readonly #timings = new Map<string, Map<string, Timing>>()

  /** Adds what `source` told. */
  apply(source: string, batch: MetricsBatch): void {
    for (const [name, key, by] of batch.counts) {
      const series = seriesOf(this.#counts, name)
      series.set(key, (series.get(key) ?? 0) + by)
    }
    for (const [name, key, value] of batch.gauges) {
      let gauges = this.#gauges.get(source)
      if (!gauges) this.#gauges.set(source, (gauges = new Map()))
      seriesOf(gauges, name).set(key, value)
    }
    for (const [name, key, buckets, sum] of batch.timings) {
      const series = seriesOf(this.#timings, name)
      const timing = series.get(key)
      if (!timing) {
        series.set(key, { buckets: [...buckets], sum })
        continue
      }
      buckets.forEach((count, index) => (timing.buckets[index] = (timing.buckets[index] ?? 0) + count))
      timing.sum += sum
    }
  }

  /** Forgets the gauges of a thread that has ended; its counts stay. */
  forget(source: string): void {
    this.#gauges.delete(source)
  }

  /** One value of a count over all its labels that include `labels`, for health and tests. */
  countOf(name: string, labels: Labels = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => labelText(label, value))
    let total = 0
    for (const [key, value] of this.#counts.get(name) ?? []) {
      if (wanted.every(text => key.includes(text))) total += value
    }
    return total
  }

  /** A gauge over all its labels and threads. */
  gaugeOf(name: string): number {
    let total = 0
    for (const gauges of this.#gauges.values()) {
      for (const value of gauges.get(name)?.values() ?? []) total += value
    }
    return total
  }

  /** Everything, for `GET /metrics`. */
  expose(): string {
    const lines: string[] = []
    for (const [name, series] of sorted(this.#counts)) {
      const full = name.endsWith('_total') ? `restante_${name}` : `restante_${name}_total`
      lines.push(`# TYPE ${full} counter`)
      for (const [key, value] of series) lines.push(`${full}${braced(key)} ${value}`)
    }
    for (const [name, series] of sorted(this.#summedGauges())) {
      lines.push(`# TYPE restante_${name} gauge`)
      for (const [key, value] of series) lines.push(`restante_${name}${braced(key)} ${value}`)
    }
    for (const [name, series] of sorted(this.#timings)) {
      lines.push(`# TYPE restante_${name} histogram`)
      for (const [key, timing] of series) lines.push(...timingLines(`restante_${name}`, key, timing))
    }
    return `${lines.join('\n')}\n`
  }

  #summedGauges(): Map<string, Map<string, number>> {
    const sums = new Map<string, Map<string, number>>()
    for (const gauges of this.#gauges.values()) {
      for (const [name, key, value] of flatten(gauges)) {
        const series = seriesOf(sums, name)
        series.set(key, (series.get(key) ?? 0) + value)
      }
    }
    return sums
  }
}

function timingLines(name: string, key: string, { buckets, sum }: Timing): string[] {
  const prefix = key === '' ? '' : `${key},`
  let total = 0
  const lines = buckets.map((count, index) => {
    total += count
    return `${name}_bucket{${prefix}le="${bucketBounds[index] ?? '+Inf'}"} ${total}`
  })
  return [...lines, `${name}_sum${braced(key)} ${sum}`, `${name}_count${braced(key)} ${total}`]
}

function braced(key: string): string {
  return key === '' ? '' : `{${key}}`
}

function seriesOf<Value>(table: Map<string, Map<string, Value>>, name: string): Map<string, Value> {
  let series = table.get(name)
  if (!series) table.set(name, (series = new Map()))
  return series
}

function boundedKey(series: ReadonlyMap<string, unknown>, labels: Labels | undefined): string {
  if (labels === undefined) return ''
  const key = keyOf(labels)
  return series.has(key) || series.size < seriesPerName ? key : ''
}

/** The labels as the text format wants them, in order. */
function keyOf(labels: Labels): string {
  const names = Object.keys(labels)
  if (names.length > 1) names.sort()
  let key = ''
  for (const name of names) key += `${key === '' ? '' : ','}${labelText(name, labels[name] as string)}`
  return key
}

function labelText(label: string, value: string): string {
  return `${label}="${escape(value)}"`
}

function escape(value: string): string {
  if (!/[\\"\n]/.test(value)) return value
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function flatten<Value>(
  table: ReadonlyMap<string, ReadonlyMap<string, Value>>,
): (readonly [string, string, Value])[] {
  return [...table].flatMap(([name, series]) =>
    [...series].map(([key, value]) => [name, key, value] as const),
  )
}

function sorted<Value>(table: ReadonlyMap<string, Value>): (readonly [string, Value])[] {
  return [...table].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
