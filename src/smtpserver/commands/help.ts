// HELP. RFC 5321 §4.1.1.8.
import { command, everyService, everyState } from '../command.ts'

export const help = command({
  name: 'HELP',
  services: everyService,
  states: everyState,
  parse: () => undefined,
  run: session => ({
    code: 214,
    status: '2.0.0',
    text: [`This is ${session.context.hostname}, running Restante`, 'RFC 5321 says what may be said here'],
  }),
})
