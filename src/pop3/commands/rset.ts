// RSET. RFC 1939 §5.
import { noArguments } from '../arguments.ts'
import { maildropCommand } from '../command.ts'

export const rset = maildropCommand({
  name: 'RSET',
  parse: noArguments,
  run(session, maildrop) {
    maildrop.undelete()
    session.ok(texts => texts.maildropHas(maildrop.count, maildrop.bytes))
  },
})
