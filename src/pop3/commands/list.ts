// LIST. RFC 1939 §5.
import { optionalNumber } from '../arguments.ts'
import { maildropCommand } from '../command.ts'
import { writeListing } from '../listing.ts'

export const list = maildropCommand({
  name: 'LIST',
  parse: optionalNumber,
  run(session, maildrop, number) {
    if (number !== undefined) {
      session.okValue(`${number} ${maildrop.sizeAt(maildrop.position(number))}`)
      return undefined
    }
    session.ok(texts => texts.maildropHas(maildrop.count, maildrop.bytes))
    return writeListing(session, maildrop, position => String(maildrop.sizeAt(position)))
  },
})
