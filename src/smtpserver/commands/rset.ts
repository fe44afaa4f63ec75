// RSET. RFC 5321 §4.1.1.5; RFC 3030 §2.
import { SmtpSyntaxError } from '../../smtp/mailbox.ts'
import { command, everyService, everyState } from '../command.ts'

export const rset = command({
  name: 'RSET',
  services: everyService,
  states: everyState,
  parse: parseNothing,
  run(session) {
    session.reset()
    return { code: 250, status: '2.0.0', text: 'OK' }
  },
})

/** RFC 5321 §4.1.1: commands without an argument; spaces at the end are tolerated. */
export function parseNothing(text: string): void {
  if (text.trim() !== '') throw new SmtpSyntaxError('No argument is allowed here')
}
