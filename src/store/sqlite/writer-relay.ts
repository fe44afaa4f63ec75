// The log and metrics of the writer's thread, and of the indexer's, on their way to the supervisor's.
import type { Log, LogFields } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { LogLevel, MetricEvent, WriterMessage } from './writer-messages.ts'

/** How often metrics go to the supervisor. */
const metricsMs = 1000

export function relayLog(tell: (message: WriterMessage) => void, bound: LogFields): Log {
  const write = (level: LogLevel) => (fields: LogFields, message: string) => {
    tell({ kind: 'log', level, fields: { ...bound, ...fields }, message })
  }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: fields => relayLog(tell, { ...bound, ...fields }),
  }
}

/** What another thread has told, at its end: gives it to the log and the metrics there. */
export function receiveEvents(message: WriterMessage, log: Log, metrics: Metrics): void {
  if (message.kind === 'log') log[message.level](message.fields, message.message)
  if (message.kind !== 'metrics') return
  for (const [kind, name, value, labels] of message.events) {
    if (kind === 'count') metrics.count(name, labels, value)
    else if (kind === 'gauge') metrics.gauge(name, value, labels)
    else metrics.observe(name, value, labels)
  }
}

/** Gathers metrics, so that a commit costs no message of its own. */
export class MetricsRelay implements Metrics {
  readonly #send: (events: readonly MetricEvent[]) => void
  #events: MetricEvent[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(send: (events: readonly MetricEvent[]) => void) {
    this.#send = send
  }

  count(name: string, labels?: Readonly<Record<string, string>>, by = 1): void {
    this.#add('count', name, by, labels)
  }

  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void {
    this.#add('gauge', name, value, labels)
  }

  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void {
    this.#add('observe', name, seconds, labels)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#flush()
  }

  #add(kind: MetricEvent[0], name: string, value: number, labels: MetricEvent[3]): void {
    this.#events.push([kind, name, value, labels])
    this.#timer ??= setTimeout(() => this.#flush(), metricsMs).unref()
  }

  #flush(): void {
    this.#timer = undefined
    if (this.#events.length > 0) this.#send(this.#events)
    this.#events = []
  }
}
