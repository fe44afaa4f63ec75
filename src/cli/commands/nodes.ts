// nodes: the servers that share the store.
import { limits } from '../../base/limits.ts'
import { type NodeRow, listNodes } from '../../store/read/node.ts'
import type { CommandContext } from '../command.ts'
import { formatTime } from '../output.ts'
import { onStore } from '../target.ts'

/** Lists them with version and load; one that has not been heard of for a while is dead, and forgotten after a day. */
export async function nodes(context: CommandContext): Promise<void> {
  const { store: place } = await context.config()
  const rows =
    place.url === undefined
      ? []
      : await onStore(context, { mayCreate: false }, async ({ store }) => listNodes(store.reader))
  context.output.table(
    rows.map(row => presentable(row, Date.now())),
    [
      { key: 'state', title: 'STATE' },
      { key: 'host', title: 'HOST' },
      { key: 'version', title: 'VERSION' },
      { key: 'schema', title: 'SCHEMA', align: 'right' },
      { key: 'startedAt', title: 'STARTED', format: formatTime },
      { key: 'seenAt', title: 'SEEN', format: formatTime },
      { key: 'sessions', title: 'SESSIONS', align: 'right' },
      { key: 'commits', title: 'COMMITS', align: 'right' },
      { key: 'id', title: 'ID' },
    ],
    place.url === undefined
      ? 'the store is embedded: it has one server, on this machine'
      : 'no server runs on this store',
  )
}

function presentable(row: NodeRow, now: number): Record<string, unknown> {
  return { state: now - row.seenAt > limits.node.deadMs ? 'dead' : 'alive', ...row }
}
