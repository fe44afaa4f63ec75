// STAT. RFC 1939 §5.
import { noArguments } from '../arguments.ts'
import { maildropCommand } from '../command.ts'

export const stat = maildropCommand({
  name: 'STAT',
  parse: noArguments,
  run: (session, maildrop) => session.okValue(`${maildrop.count} ${maildrop.bytes}`),
})
