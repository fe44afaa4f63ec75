// What a server that shares its store with others says of itself, every few seconds.
import { limits } from '../../base/limits.ts'
import type { Tx } from '../store.ts'

export interface ReportNode {
  readonly id: string
  readonly host: string
  readonly version: string
  readonly schema: number
  readonly startedAt: number
  readonly sessions: number
  readonly commits: number
}

/** Nodes that nobody has heard of for long are forgotten. */
export async function reportNode(tx: Tx, node: ReportNode): Promise<void> {
  await tx.run(
    `INSERT INTO node (id, host, version, schema, started_at, seen_at, sessions, commits) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET host = excluded.host, version = excluded.version, schema = excluded.schema,
       started_at = excluded.started_at, seen_at = excluded.seen_at, sessions = excluded.sessions, commits = excluded.commits`,
    node.id,
    node.host,
    node.version,
    node.schema,
    node.startedAt,
    tx.nowMs,
    node.sessions,
    node.commits,
  )
  await tx.run('DELETE FROM node WHERE seen_at < ?', tx.nowMs - limits.node.forgottenMs)
}

/** A server that ends in order. */
export async function forgetNode(tx: Tx, { id }: { readonly id: string }): Promise<void> {
  await tx.run('DELETE FROM node WHERE id = ?', id)
}
