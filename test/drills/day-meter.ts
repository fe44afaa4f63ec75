// What a site of nodes over PostgreSQL used between two moments: CPU, log, blocks; and what it holds.
import type pg from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicroseconds, pssBytes } from '../../bench/process-tree.ts'

/** Sums since the start of the site, or differences of two. */
export interface Usage {
  readonly seconds: number
  readonly nodesUs: number
  readonly postgresUs: number
  readonly walBytes: number
  readonly walSyncs: number
  /** Of tables and indexes, 8 KiB each. */
  readonly pageWrites: number
  /** Transactions that were committed, those that only read among them. */
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
  /** Of that, tables of bodies. */
  readonly bodiesBytes: number
}

/** PostgreSQL's sessions add what they counted to its statistics once in a second at most. */
const statisticsMs = 1100

/** Columns of what is written, in PostgreSQL 15, and in 18, which counts it elsewhere. */
const writesOf15 = `(SELECT wal_sync FROM pg_stat_wal) AS "walSyncs",
  (SELECT buffers_checkpoint + buffers_clean + buffers_backend FROM pg_stat_bgwriter) AS "pageWrites"`
const writesOf18 = `(SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal') AS "walSyncs",
  (SELECT (sum(write_bytes) + sum(extend_bytes)) / 8192 FROM pg_stat_io WHERE object = 'relation') AS "pageWrites"`

export class DayMeter {
  readonly #client: pg.Client
  readonly #postgres: readonly number[]
  readonly #nodes: () => readonly number[]

  constructor(client: pg.Client, postgresPid: number, nodes: () => readonly number[]) {
    this.#client = client
    this.#postgres = [postgresPid]
    this.#nodes = nodes
  }

  /** What the site used while `work` ran and until all that it changed was on the disk. */
  async during(work: () => Promise<unknown>): Promise<Usage> {
    // What was changed before is not to be written meanwhile.
    await this.#client.query('CHECKPOINT')
    const before = await this.#usage()
    await work()
    await this.#client.query('CHECKPOINT')
    const after = await this.#usage()
    return Object.fromEntries(
      Object.entries(after).map(([name, value]) => [name, value - before[name as keyof Usage]]),
    ) as unknown as Usage
  }

  async holding(): Promise<Holding> {
    const { rows } = await this.#client.query(
      `SELECT pg_database_size(current_database()) AS database,
              pg_total_relation_size('blob') + pg_total_relation_size('body_chunk') AS bodies`,
    )
    return {
      nodesBytes: pssBytes(this.#nodes()),
      postgresBytes: pssBytes(this.#postgres),
      databaseBytes: Number(rows[0]?.database),
      bodiesBytes: Number(rows[0]?.bodies),
    }
  }

  async #usage(): Promise<Usage> {
    const own = {
      seconds: performance.now() / 1000,
      nodesUs: cpuMicroseconds(this.#nodes()),
      postgresUs: cpuMicroseconds(this.#postgres),
    }
    await sleep(statisticsMs)
    const { rows: versions } = await this.#client.query('SHOW server_version_num')
    const isNew = Number(versions[0]?.server_version_num) >= 180_000
    const { rows } = await this.#client.query(
      `SELECT pg_current_wal_insert_lsn() - '0/0' AS "walBytes", ${isNew ? writesOf18 : writesOf15},
              xact_commit AS commits, xact_rollback AS rollbacks, blks_hit AS "blocksHit", blks_read AS "blocksRead"
         FROM pg_stat_database WHERE datname = current_database()`,
    )
    const counted = Object.entries(rows[0] as Record<string, string>).map(([name, value]) => [
      name,
      Number(value),
    ])
    return { ...own, ...(Object.fromEntries(counted) as Omit<Usage, keyof typeof own>) }
  }
}
