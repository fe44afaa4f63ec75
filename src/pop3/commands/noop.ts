// NOOP. RFC 1939 §5.
import { noArguments } from '../arguments.ts'
import { maildropCommand } from '../command.ts'

export const noop = maildropCommand({
  name: 'NOOP',
  parse: noArguments,
  run: session => session.ok(texts => texts.done),
})
