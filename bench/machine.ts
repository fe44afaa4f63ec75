// The machine that figures come from.
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { temporaryFolder } from './server.ts'
import { median } from './statistics.ts'

export interface Machine {
  readonly cpu: string
  readonly cpuCount: number
  readonly memoryGigabytes: number
  readonly kernel: string
  readonly fileSystem: string
  /** The median time of appending 4 KB and making it durable. */
  readonly fdatasyncMs: number
  /** The kernel takes pages of files back from memory that nobody has used for so long, seconds; where it does. */
  readonly pageoutSeconds?: number
  readonly node: string
}

export function describeMachine(): Machine {
  const folder = temporaryFolder('bench-disk')
  const pageoutSeconds = findPageout()
  const machine: Machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpuCount: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    fileSystem: fileSystemOf(folder),
    fdatasyncMs: fdatasyncMs(join(folder, 'probe')),
    ...(pageoutSeconds !== undefined && { pageoutSeconds }),
    node: process.version,
  }
  rmSync(folder, { recursive: true, force: true })
  return machine
}

function fileSystemOf(folder: string): string {
  const lines = execFileSync('df', ['--output=fstype', folder], { encoding: 'utf8' }).trim().split('\n')
  return lines.at(-1) ?? 'unknown'
}

/** Linux' DAMON, where its first scheme does so (Documentation/admin-guide/mm/damon/usage.rst). */
function findPageout(): number | undefined {
  const damon = '/sys/kernel/mm/damon/admin/kdamonds/0'
  const read = (name: string) => readFileSync(join(damon, name), 'latin1').trim()
  try {
    const scheme = 'contexts/0/schemes/0'
    if (read('state') !== 'on' || read(`${scheme}/action`) !== 'pageout') return undefined
    const stepMicroseconds = Number(read('contexts/0/monitoring_attrs/intervals/aggr_us'))
    return (Number(read(`${scheme}/access_pattern/age/min`)) * stepMicroseconds) / 1e6
  } catch {
    return undefined // there is no DAMON
  }
}

function fdatasyncMs(path: string): number {
  const file = openSync(path, 'a')
  const page = Buffer.alloc(4096)
  const samples: number[] = []
  for (let left = 100; left > 0; left--) {
    const from = performance.now()
    writeSync(file, page)
    fdatasyncSync(file)
    samples.push(performance.now() - from)
  }
  closeSync(file)
  return Number(median(samples).toFixed(3))
}
