// LANGUAGE. RFC 5255 §3.2.
import { limits } from '../../base/limits.ts'
import { command } from '../command.ts'
import { bad, no } from '../error.ts'
import { findLanguage, languages } from '../language/translate.ts'

export const language = command({
  name: 'LANGUAGE',
  state: 'any',
  parse(parser) {
    const ranges: string[] = []
    while (parser.moreAfterSpace()) {
      ranges.push(parser.astring())
      if (ranges.length > limits.imap.comparators) throw bad('that are too many languages', 'TOOBIG')
    }
    return ranges
  },
  run(session, ranges) {
    if (ranges.length === 0) {
      session.out.line(`* LANGUAGE (${languages.join(' ')})`)
      return { text: 'These are the languages' }
    }
    const preferred = session.context.config.imap.language
    for (const range of ranges) {
      const found = findLanguage(range, preferred)
      if (!found) continue
      session.language = found
      session.out.line(`* LANGUAGE (${found})`)
      return { text: 'Now speaking English' }
    }
    throw no(undefined, 'None of these languages is known here')
  },
})
