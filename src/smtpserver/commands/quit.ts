// QUIT. RFC 5321 §4.1.1.10.
import { command, everyService, everyState } from '../command.ts'
import { parseNothing } from './rset.ts'

export const quit = command({
  name: 'QUIT',
  services: everyService,
  states: everyState,
  parse: parseNothing,
  run: () => ({ code: 221, status: '2.0.0', text: 'Goodbye' }),
})
