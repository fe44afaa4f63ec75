// ENVELOPE: kept in wire form. RFC 9051 §7.5.2.
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'ENVELOPE',
  columns: ['envelope'],
  write(message, out) {
    out.ascii('ENVELOPE ').wire(message.row.envelope)
  },
}

export const envelope: FetchItemDefinition = { name: 'ENVELOPE', parse: () => item }
