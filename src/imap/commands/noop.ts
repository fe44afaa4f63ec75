// NOOP: a chance to hear what has changed. RFC 9051 §6.1.2.
import { command } from '../command.ts'
import { noArguments } from './arguments.ts'

export const noop = command({ name: 'NOOP', state: 'any', parse: noArguments, run() {} })
