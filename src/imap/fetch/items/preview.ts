// PREVIEW: the first words of a message, worked out when it was stored. RFC 8970, from knowledge of it.
import type { FetchItemDefinition } from '../fetch-item.ts'

export const preview: FetchItemDefinition = {
  name: 'PREVIEW',
  parse(parser, { session }) {
    // RFC 8970 §4: LAZY asks for what is at hand; here that is always all of it. Anything else in parentheses is FETCH's.
    parser.takeText(' (LAZY)')
    return {
      label: 'PREVIEW',
      columns: ['preview'],
      write(message, out) {
        // RFC 8970 §3.1: UTF-8, "" where the message has no text.
        out.ascii('PREVIEW ').string(message.row.preview, session.usesUtf8Names)
      },
    }
  },
}
