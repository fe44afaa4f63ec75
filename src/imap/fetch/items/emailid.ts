// EMAILID. RFC 8474 §5.1.
import { emailId as format } from '../../object-id.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'EMAILID',
  write(message, out) {
    out.ascii(`EMAILID (${format(message.email, message.foreignOwner)})`)
  },
}

export const emailId: FetchItemDefinition = { name: 'EMAILID', parse: () => item }
