// INTERNALDATE. RFC 9051 §6.4.5. Kept as a moment, so told in UTC.
import { writeDateTime } from '../date-time.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'INTERNALDATE',
  write(message, out) {
    writeDateTime(out.ascii('INTERNALDATE '), message.snapshot.receivedAts.at(message.position))
  },
}

export const internalDate: FetchItemDefinition = { name: 'INTERNALDATE', parse: () => item }
