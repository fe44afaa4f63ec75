import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MetricsBatch, MetricsRegistry, ThreadMetrics } from '../../src/server/metrics.ts'

function take(metrics: ThreadMetrics): MetricsBatch {
  const batch = metrics.take()
  assert.ok(batch)
  return batch
}

test('counts of several threads are added up, and each is told once', () => {
  const registry = new MetricsRegistry()
  for (const thread of ['a', 'b']) {
    const metrics = new ThreadMetrics()
    metrics.count('sessions', { protocol: 'imap' })
    metrics.count('sessions', { protocol: 'imap' }, 2)
    registry.apply(thread, take(metrics))
    assert.equal(metrics.take(), undefined)
  }
  assert.match(registry.expose(), /^restante_sessions_total\{protocol="imap"\} 6$/m)
  assert.equal(registry.countOf('sessions', { protocol: 'imap' }), 6)
})

test('the gauges of a thread end with it, its counts stay', () => {
  const registry = new MetricsRegistry()
  for (const thread of ['a', 'b']) {
    const metrics = new ThreadMetrics()
    metrics.gauge('connections', 5)
    metrics.count('sessions')
    registry.apply(thread, take(metrics))
  }
  registry.forget('a')
  assert.match(registry.expose(), /^restante_connections 5$/m)
  assert.match(registry.expose(), /^restante_sessions_total 2$/m)
})

test('a timing is a histogram whose buckets are cumulated', () => {
  const registry = new MetricsRegistry()
  const metrics = new ThreadMetrics()
  for (const seconds of [0.0005, 0.003, 0.003, 100])
    metrics.observe('fetch_seconds', seconds, { kind: 'body' })
  registry.apply('a', take(metrics))
  const text = registry.expose()
  assert.match(text, /^# TYPE restante_fetch_seconds histogram$/m)
  assert.match(text, /^restante_fetch_seconds_bucket\{kind="body",le="0\.001"\} 1$/m)
  assert.match(text, /^restante_fetch_seconds_bucket\{kind="body",le="0\.005"\} 3$/m)
  assert.match(text, /^restante_fetch_seconds_bucket\{kind="body",le="60"\} 3$/m)
  assert.match(text, /^restante_fetch_seconds_bucket\{kind="body",le="\+Inf"\} 4$/m)
  assert.match(text, /^restante_fetch_seconds_count\{kind="body"\} 4$/m)
})

test('labels are escaped and do not grow without bound', () => {
  const registry = new MetricsRegistry()
  const metrics = new ThreadMetrics()
  metrics.count('odd', { name: 'a"b\\c\nd' })
  for (let index = 0; index < 5000; index++) metrics.count('many', { name: String(index) })
  registry.apply('a', take(metrics))
  const text = registry.expose()
  assert.ok(text.includes('restante_odd_total{name="a\\"b\\\\c\\nd"} 1'))
  assert.ok(text.split('\n').length < 1100)
  assert.equal(registry.countOf('many'), 5000)
})
