// TOP. RFC 1939 §7.
import { twoNumbers } from '../arguments.ts'
import { maildropCommand } from '../command.ts'
import { sendMessage } from '../send-message.ts'

export const top = maildropCommand({
  name: 'TOP',
  parse: twoNumbers,
  run: (session, maildrop, [number, lines]) =>
    sendMessage(session, maildrop, maildrop.position(number), lines),
})
