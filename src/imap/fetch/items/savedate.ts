// SAVEDATE: when the message came into this mailbox. RFC 8514 §4.
import { writeDateTime } from '../date-time.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'SAVEDATE',
  write(message, out) {
    writeDateTime(out.ascii('SAVEDATE '), message.snapshot.savedAts.at(message.position))
  },
}

export const saveDate: FetchItemDefinition = { name: 'SAVEDATE', parse: () => item }
