// The servers that share the store.
import type { Awaitable } from '../../base/awaitable.ts'
import type { ReportNode } from '../mutations/report-node.ts'
import type { Reader } from '../store.ts'

export interface NodeRow extends ReportNode {
  /** When it last said that it is there, milliseconds since 1970. */
  readonly seenAt: number
}

/** The oldest first. */
export function listNodes(reader: Reader): Awaitable<readonly NodeRow[]> {
  return reader.all<NodeRow>(
    `SELECT id, host, version, schema, started_at AS "startedAt", seen_at AS "seenAt", sessions, commits
     FROM node ORDER BY started_at, id`,
  )
}
