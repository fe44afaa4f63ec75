// UIDL. RFC 1939 §7.
import { optionalNumber } from '../arguments.ts'
import { maildropCommand } from '../command.ts'
import { writeListing } from '../listing.ts'

export const uidl = maildropCommand({
  name: 'UIDL',
  parse: optionalNumber,
  run(session, maildrop, number) {
    if (number !== undefined) {
      session.okValue(`${number} ${maildrop.uniqueIdAt(maildrop.position(number))}`)
      return undefined
    }
    session.ok(texts => texts.uniqueIds)
    return writeListing(session, maildrop, position => maildrop.uniqueIdAt(position))
  },
})
