// EXPN. RFC 5321 §3.5, §4.1.1.7, §7.3: lists are not shown.
import { command, everyService, everyState } from '../command.ts'

export const expn = command({
  name: 'EXPN',
  services: everyService,
  states: everyState,
  parse: () => undefined,
  run: () => ({ code: 550, status: '5.7.1', text: 'Lists are not shown' }),
})
