// What says where the database is and how it is reached, and the bodies.
import type { MessagePort } from 'node:worker_threads'
import type { S3Place } from '../s3/client.ts'

export interface PostgresPlace {
  /** `postgres://USER:PASSWORD@HOST:PORT/DATABASE`; several hosts with commas between. */
  readonly url: string
  readonly tls?: DatabaseTls | undefined
  /** Sessions that reads share. */
  readonly readSessions?: number | undefined
  /** Transactions at a time. */
  readonly writeSessions?: number | undefined
  /** A folder for bodies that are arriving; a temporary one by default. */
  readonly dataDir?: string | undefined
  /** Where bodies lie; in tables by default. */
  readonly bucket?: BucketPlace | undefined
  /** A port to what hears of changes for all stores of this process (`NewsHub`); without one the store listens by itself. */
  readonly news?: MessagePort | undefined
  /** Whether this store removes what is due, by itself; one at a time does, of those that may. */
  readonly maintains?: boolean | undefined
  /** Whether it fills the search index, likewise; by default when it maintains. */
  readonly fillsIndex?: boolean | undefined
}

export interface BucketPlace extends S3Place {
  /** Bytes of bodies that this node keeps on its disk, in `cache` of the data folder. */
  readonly cacheBytes: number
}

export interface DatabaseTls {
  /** `verify` checks certificate and name; `require` trusts any; `auto` is `verify`, and `off` to this machine. */
  readonly mode: 'auto' | 'verify' | 'require' | 'off'
  /** PEM files. */
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
}
