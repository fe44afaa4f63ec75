// FLAGS. RFC 9051 §6.4.5, §2.3.2.
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

export const flagsItem: FetchItem = {
  label: 'FLAGS',
  showsFlags: true,
  write(message, out) {
    out.bytes(message.flagsText)
  },
}

export const flags: FetchItemDefinition = { name: 'FLAGS', parse: () => flagsItem }
