// UID. RFC 9051 §6.4.5.
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

export const uidItem: FetchItem = {
  label: 'UID',
  write(message, out) {
    out.ascii('UID ').number(message.uid)
  },
}

export const uid: FetchItemDefinition = { name: 'UID', parse: () => uidItem }
