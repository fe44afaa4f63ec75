// How many files, and so connections, a process may have open; children inherit it. prlimit(1), getrlimit(2).
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Raises the limit of this process, which takes root beyond what the system gave it; says so where that fails. */
export function raiseFileLimit(wanted: number): void {
  if (fileLimit() >= wanted) return
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${wanted}:${wanted}`], { stdio: 'pipe' })
  } catch {
    console.error(
      `a process may have ${fileLimit()} files open, not ${wanted}: fewer connections are measured`,
    )
  }
}

/** Open files that this process and those that it starts may have: Node raises the soft limit to the hard one. */
export function fileLimit(): number {
  const line = /^Max open files\s+\d+\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'latin1'))
  return line?.[1] === 'unlimited' ? Number.POSITIVE_INFINITY : Number(line?.[1])
}
