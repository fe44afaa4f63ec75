// NOOP. RFC 5321 §4.1.1.9.
import { command, everyService, everyState } from '../command.ts'

export const noop = command({
  name: 'NOOP',
  services: everyService,
  states: everyState,
  parse: () => undefined,
  run: () => ({ code: 250, status: '2.0.0', text: 'OK' }),
})
