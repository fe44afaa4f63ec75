// BODYSTRUCTURE: kept in wire form; and BODY, its form without extension data. RFC 9051 §7.5.2.
import { bodyOf } from '../../../message/body.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'BODYSTRUCTURE',
  columns: ['body_structure'],
  write(message, out) {
    out.ascii('BODYSTRUCTURE ').wire(message.row.body_structure)
  },
}

export const basicStructureItem: FetchItem = {
  label: 'BODY',
  columns: ['body_structure'],
  write(message, out) {
    out.ascii('BODY ').bytes(bodyOf(message.row.body_structure))
  },
}

export const bodyStructure: FetchItemDefinition = { name: 'BODYSTRUCTURE', parse: () => item }
