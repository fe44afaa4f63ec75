// RETR. RFC 1939 §5.
import { oneNumber } from '../arguments.ts'
import { maildropCommand } from '../command.ts'
import { sendMessage } from '../send-message.ts'

export const retr = maildropCommand({
  name: 'RETR',
  parse: oneNumber,
  run: (session, maildrop, number) => sendMessage(session, maildrop, maildrop.position(number), undefined),
})
