// The figures of all runs so far (docs/performance.json), to which a run adds its own without losing the rest.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Machine } from './machine.ts'
import type { Unit } from './question.ts'
import type { LoopDelay, ServerName } from './server.ts'

/** One figure of one server. */
export interface Figure {
  /** The median of the repetitions, in the row's unit. */
  readonly value: number
  readonly samples: readonly number[]
  /** CPU of the server's process tree for one operation, in microseconds; absent where operations don't apply. */
  readonly cpuMicroseconds?: number
  /** How much of one CPU the client, or the busiest of its processes, used while it measured, 0 to 1. */
  readonly clientShare?: number
  /** Of a protocol thread: the median of the repetitions' 99th percentiles, and the longest of all. */
  readonly loopDelay?: LoopDelay
}

export interface RecordedRow {
  readonly title: string
  readonly unit: Unit
  readonly target?: number
  readonly most?: number
  readonly figures: Partial<Record<ServerName, Figure>>
}

export interface RecordedQuestion {
  readonly title: string
  readonly boundBy: string
  readonly date: string
  /** The commit that was measured. */
  readonly commit: string
  readonly repetitions: number
  /** What share of the full numbers was used. */
  readonly scale: number
  /** Load of the machine just before, by everything that ran on it. */
  readonly load: number
  readonly rows: Readonly<Record<string, RecordedRow>>
}

export interface Performance {
  machine: Machine
  servers: Partial<Record<ServerName, { version: string; settings: readonly string[] }>>
  questions: Record<string, RecordedQuestion>
  /** Of runs with nodes over PostgreSQL. */
  nodesQuestions: Record<string, RecordedQuestion>
}

const docs = join(import.meta.dirname, '..', 'docs')

const nothing = { servers: {}, questions: {}, nodesQuestions: {} }

/** What earlier runs left, or nothing. */
export function readPerformance(): Omit<Performance, 'machine'> {
  try {
    const found = JSON.parse(readFileSync(join(docs, 'performance.json'), 'utf8')) as Performance
    return { ...nothing, ...found }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return nothing
  }
}

/** Writes docs/performance.json and the page beside it. */
export function writePerformance(performance: Performance, page: string): void {
  writeFileSync(join(docs, 'performance.json'), `${JSON.stringify(performance, undefined, 2)}\n`)
  writeFileSync(join(docs, 'performance.md'), page)
}
