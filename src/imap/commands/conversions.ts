// CONVERSIONS. RFC 5259 §5.
import { command } from '../command.ts'
import { listConversions } from '../convert/conversions.ts'
import { parseMediaType } from '../convert/convert-items.ts'
import type { Parser } from '../input/parser.ts'

export const conversions = command({
  name: 'CONVERSIONS',
  state: 'authenticated',
  parse(parser) {
    parser.sp()
    const from = parseTypePattern(parser)
    parser.sp()
    return { from, to: parseTypePattern(parser) }
  },
  async run(session, wanted) {
    for (const { from, to, parameters } of await listConversions(session)) {
      if (!fits(from, wanted.from) || !fits(to, wanted.to)) continue
      session.out.line(`* CONVERSION "${from}" "${to}" (${parameters.map(name => `"${name}"`).join(' ')})`)
    }
  },
})

/** `*`, `image/*` or a whole type, in lower case. Throws BAD. */
function parseTypePattern(parser: Parser): string {
  const text = parser.astring()
  if (text === '*') return text
  if (text.endsWith('/*')) return `${parseMediaType(`${text.slice(0, -1)}x`).slice(0, -1)}*`
  return parseMediaType(text)
}

function fits(type: string, pattern: string): boolean {
  return pattern.endsWith('*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern
}
