// RFC822.SIZE. RFC 9051 §2.3.4, §6.4.5.
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

const item: FetchItem = {
  label: 'RFC822.SIZE',
  write(message, out) {
    out.ascii('RFC822.SIZE ').number(message.snapshot.sizes.at(message.position))
  },
}

export const rfc822Size: FetchItemDefinition = { name: 'RFC822.SIZE', parse: () => item }
