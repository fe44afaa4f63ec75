// LANG. RFC 6856 §3.
import { words } from '../arguments.ts'
import { command } from '../command.ts'
import { bad, Pop3Error } from '../error.ts'
import { findLanguage, firstLanguage, languages } from '../languages.ts'
import type { Session } from '../session.ts'

export const lang = command({
  name: 'LANG',
  state: 'any',
  parse(args) {
    const [range, ...rest] = words(args)
    if (rest.length > 0 || (range !== undefined && !/^(\*|[A-Za-z0-9-]{1,64})$/.test(range))) {
      throw bad(texts => texts.syntax)
    }
    return range
  },
  run(session, range) {
    if (range === undefined) {
      list(session)
      return
    }
    // The same for every user: `LANG *` before log-in must not tell who prefers what (RFC 6856 §7).
    const wanted = range === '*' ? session.context.config.pop3.language : range
    const language = findLanguage(wanted) ?? (range === '*' ? firstLanguage : undefined)
    if (!language) throw new Pop3Error(texts => texts.unknownLanguage)
    session.language = language
    session.ok(texts => `${language.tag} ${texts.languageChanged}`)
  },
})

function list(session: Session): void {
  session.ok(texts => texts.languages)
  const lines = languages.map(({ tag, name }) => `${tag} ${name}`)
  session.connection.write([...lines, '.', ''].join('\r\n'))
}
