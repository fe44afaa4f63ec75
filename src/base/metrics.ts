// Counters and timings as lower layers see them; `server/metrics.ts` exposes them to Prometheus.

/** Names are Prometheus names without the `restante_` prefix; labels are few and bounded. */
export interface Metrics {
  count(name: string, labels?: Readonly<Record<string, string>>, by?: number): void
  gauge(name: string, value: number, labels?: Readonly<Record<string, string>>): void
  /** Records a duration in seconds. */
  observe(name: string, seconds: number, labels?: Readonly<Record<string, string>>): void
}

const ignore = () => {}

/** Metrics that keep nothing. */
export const silentMetrics: Metrics = { count: ignore, gauge: ignore, observe: ignore }
