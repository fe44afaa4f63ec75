// DELE: a mark, until QUIT. RFC 1939 §5, §6.
import { oneNumber } from '../arguments.ts'
import { maildropCommand } from '../command.ts'

export const dele = maildropCommand({
  name: 'DELE',
  parse: oneNumber,
  run(session, maildrop, number) {
    maildrop.delete(maildrop.position(number))
    session.ok(texts => texts.messageDeleted(number))
  },
})
