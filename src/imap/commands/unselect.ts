// UNSELECT: leaves the mailbox and expunges nothing. RFC 3691; RFC 9051 §6.4.2.
import { command } from '../command.ts'
import { deselect } from '../deselect.ts'
import { noArguments } from './arguments.ts'

export const unselect = command({
  name: 'UNSELECT',
  state: 'selected',
  parse: noArguments,
  async run(session) {
    await deselect(session)
  },
})
