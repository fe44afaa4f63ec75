// ID. RFC 2971.
import { command } from '../command.ts'
import { bad } from '../error.ts'

/** RFC 2971 §3.3. */
const maxFields = 30

export const id = command({
  name: 'ID',
  state: 'any',
  parse(parser) {
    parser.sp()
    if (parser.takeKeyword('NIL')) return []
    const words = parser.list(() => parser.nstring())
    if (words.length % 2 !== 0) throw bad('ID takes pairs of field and value')
    if (words.length > maxFields * 2) throw bad(`ID takes up to ${maxFields} fields`)
    return words
  },
  run(session, words) {
    if (words.length > 0) {
      const said = words.map(word => (word ?? 'NIL').slice(0, 100)).join(' ')
      session.context.log.debug(
        { connection: session.connection.id, client: said },
        'an IMAP client said who it is',
      )
    }
    session.out.line(
      '* ID ("name" "Restante" "vendor" "Restante" "support-url" "https://www.npmjs.com/package/restante")',
    )
  },
})
