// CHECK: everything is on disk already, so this is a NOOP. RFC 3501 §6.4.1 (gone in RFC 9051).
import { command } from '../command.ts'
import { noArguments } from './arguments.ts'

export const check = command({ name: 'CHECK', state: 'selected', parse: noArguments, run() {} })
