// What a site of nodes over PostgreSQL used between two moments: CPU, log, blocks; and what it holds.
import type pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicroseconds, pssBytes, writtenBytes } from '../../bench/process-tree.ts'

/** Sums since the start of the site, or differences of two. */
export interface Usage {
  readonly seconds: number
  readonly nodesUs: number
  readonly postgresUs: number
  readonly walBytes: number
  /** What its processes sent to the disk, the log among it. */
  readonly writtenBytes: number
  readonly walSyncs: number
  readonly commits: number
  readonly rollbacks: number
  /** Of 8 KiB: found in PostgreSQL's memory, or asked of the system. */
  readonly blocksHit: number
  readonly blocksRead: number
}

export interface Holding {
  readonly nodesBytes: number
  readonly postgresBytes: number
  readonly databaseBytes: number
}

/** PostgreSQL's sessions add what they counted to its statistics once in a second at most. */
const statisticsMs = 1100

export class DayMeter {
  readonly #client: pg.Client
  readonly #postgres: readonly number[]
  readonly #nodes: () => readonly number[]

  constructor(client: pg.Client, postgresPid: number, nodes: () => readonly number[]) {
    this.#client = client
    this.#postgres = [postgresPid]
    this.#nodes = nodes
  }

  /** What the site used while `work` ran. */
  async during(work: () => Promise<unknown>): Promise<Usage> {
    const before = await this.#usage()
    await work()
    const after = await this.#usage()
    return Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Usage]]),
    ) as unknown as Usage
  }

  async holding(): Promise<Holding> {
    const { rows } = await this.#client.query('SELECT pg_database_size(current_database()) AS bytes')
    return {
      nodesBytes: pssBytes(this.#nodes()),
      postgresBytes: pssBytes(this.#postgres),
      databaseBytes: Number(rows[0]?.bytes),
    }
  }

  async #usage(): Promise<Usage> {
    const own = {
      seconds: performance.now() / 1000,
      nodesUs: cpuMicroseconds(this.#nodes()),
      postgresUs: cpuMicroseconds(this.#postgres),
      writtenBytes: writtenBytes(this.#postgres),
    }
    await sleep(statisticsMs)
    const { rows } = await this.#client.query(
      `SELECT pg_current_wal_insert_lsn() - '0/0' AS "walBytes", wal_sync AS "walSyncs", xact_commit AS commits,
              xact_rollback AS rollbacks, blks_hit AS "blocksHit", blks_read AS "blocksRead"
         FROM pg_stat_wal, pg_stat_database WHERE datname = current_database()`,
    )
    const counted = Object.entries(rows[0] as Record<string, string>).map(([name, value]) => [
      name,
      Number(value),
    ])
    return { ...own, ...(Object.fromEntries(counted) as Omit<Usage, keyof typeof own>) }
  }
}
