// VRFY. RFC 5321 §3.5.3, §4.1.1.6, §7.3: nobody is told which names exist.
import { SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { command, everyService, everyState } from '../command.ts'

export const vrfy = command({
  name: 'VRFY',
  services: everyService,
  states: everyState,
  parse(text) {
    if (text.trim() === '') throw new SmtpSyntaxError('Whom?')
  },
  run: () => ({ code: 252, status: '2.5.0', text: 'Send some mail, and it will be tried' }),
})
