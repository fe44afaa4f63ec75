// THREADID. RFC 8474 §5.2.
import type { ThreadId } from '../../../base/ids.ts'
import { threadId as format } from '../../object-id.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'THREADID',
  columns: ['thread'],
  write(message, out) {
    out.ascii(`THREADID (${format(message.row.thread as ThreadId, message.foreignOwner)})`)
  },
}

export const threadId: FetchItemDefinition = { name: 'THREADID', parse: () => item }
