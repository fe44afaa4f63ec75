// What a process and all its descendants have used, from Linux's /proc. See proc(5).
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The process ids of `roots` and all their living descendants. */
export function processTree(roots: readonly number[]): number[] {
  const childrenOf = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const parent = statFields(pid)?.parent
    if (parent === undefined) continue
    const siblings = childrenOf.get(parent)
    if (siblings === undefined) childrenOf.set(parent, [pid])
    else siblings.push(pid)
  }
  const found = [...roots]
  for (let at = 0; at < found.length; at++) found.push(...(childrenOf.get(found[at] ?? 0) ?? []))
  return found
}

/**
 * CPU time in microseconds that the trees have used since they began, ended children included. Living threads are
 * read from schedstat (nanoseconds); what ended children used is known to their parent in ticks of 10 ms.
 */
export function cpuMicroseconds(roots: readonly number[]): number {
  let total = 0
  for (const pid of processTree(roots)) {
    const fields = statFields(pid)
    if (fields === undefined) continue
    total +=
      fields.reapedTicks * microsecondsPerTick +
      (threadsMicroseconds(pid) ?? fields.ownTicks * microsecondsPerTick)
  }
  return total
}

/** Proportional set size of the trees in bytes: shared pages are divided among those who share them. */
export function pssBytes(roots: readonly number[]): number {
  return sumOfLines(roots, 'smaps_rollup', /^Pss:\s+(\d+) kB/m) * 1024
}

/** Resident set size of the trees in bytes. */
export function rssBytes(roots: readonly number[]): number {
  return sumOfLines(roots, 'status', /^VmRSS:\s+(\d+) kB/m) * 1024
}

/** Bytes that the tree has sent to the disk since it began, ended children included (proc_pid_io(5), write_bytes). */
export function writtenBytes(roots: readonly number[]): number {
  return sumOfLines(roots, 'io', /^write_bytes: (\d+)$/m)
}

/** What the open file descriptors of the tree lead to: paths, `socket:[…]`; a file that is gone has ` (deleted)` behind its path. */
export function openFiles(roots: readonly number[]): string[] {
  return processTree(roots).flatMap(pid => {
    const folder = `/proc/${pid}/fd`
    try {
      return readdirSync(folder).flatMap(name => linkOf(`${folder}/${name}`) ?? [])
    } catch {
      return [] // it ended while we looked
    }
  })
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined // it was closed while we looked
  }
}

const microsecondsPerTick = 10_000

function sumOfLines(roots: readonly number[], file: string, line: RegExp): number {
  let total = 0
  for (const pid of processTree(roots)) total += Number(line.exec(readProc(`${pid}/${file}`) ?? '')?.[1] ?? 0)
  return total
}

function statFields(pid: number): { parent: number; ownTicks: number; reapedTicks: number } | undefined {
  const text = readProc(`${pid}/stat`)
  if (text === undefined) return undefined
  // The second field is the name in parentheses and may hold blanks, so the rest is counted from its end.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const at = (field: number) => Number(fields[field - 3])
  return { parent: at(4), ownTicks: at(14) + at(15), reapedTicks: at(16) + at(17) }
}

function threadsMicroseconds(pid: number): number | undefined {
  let nanoseconds = 0
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      nanoseconds += Number(readProc(`${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0)
    }
  } catch {
    return undefined // it ended while we looked
  }
  return nanoseconds > 0 ? nanoseconds / 1000 : undefined
}

/** A file under /proc, or undefined where the process has just ended. */
function readProc(path: string): string | undefined {
  try {
    return readFileSync(`/proc/${path}`, 'latin1')
  } catch {
    return undefined
  }
}
