// UTF8. RFC 6856 §2.1.
import { noArguments } from '../arguments.ts'
import { command } from '../command.ts'

export const utf8 = command({
  name: 'UTF8',
  state: 'authorization',
  parse: noArguments,
  run(session) {
    session.isUtf8 = true
    session.ok(texts => texts.utf8On)
  },
})
