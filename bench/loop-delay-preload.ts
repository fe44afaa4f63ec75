// Loaded into a measured Restante before its own code (node --import): each protocol thread tells on a socket how long its
// event loop was held up since it was last asked, and on another one collects its garbage.
import { createServer } from 'node:net'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, threadId } from 'node:worker_threads'
import type { LoopDelay } from './server.ts'

/** A timer that is due so often, and whose lateness is what is measured. */
const resolutionMs = 5

const folder = process.env['RESTANTE_BENCH_LOOPS']
if (folder !== undefined && !isMainThread && process.argv[1]?.includes('protocol-thread') === true) {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  const late = (nanoseconds: number) =>
    histogram.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - resolutionMs)
  createServer(socket => {
    const delay: LoopDelay = { p99Ms: late(histogram.percentile(99)), longestMs: late(histogram.max) }
    histogram.reset()
    socket.on('error', () => {}) // who asked has gone
    socket.end(JSON.stringify(delay))
  })
    .listen(join(folder, `${process.pid}-${threadId}.delay`))
    .unref()
  createServer(socket => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    socket.on('error', () => {}) // who asked has gone
    socket.end()
  })
    .listen(join(folder, `${process.pid}-${threadId}.collect`))
    .unref()
}
