// The collations that SEARCH can compare by. RFC 4790 (i;octet, i;ascii-casemap); RFC 5051 (i;unicode-casemap); RFC 5255 §4.
import { foldCase } from '../../message/case-map.ts'

export interface Collation {
  /** As RFC 4790's registry has it. */
  readonly name: string
  /** Two texts are equal when their folded forms are, and one holds the other when its folded form does. */
  readonly fold: (text: string) => string
}

/** RFC 5255 §4.3: what SEARCH uses until the client chooses another. */
export const defaultCollation: Collation = { name: 'i;unicode-casemap', fold: foldCase }

/** Only such as can find substrings, which SEARCH needs: not i;ascii-numeric (RFC 5255 §4.4). */
export const collations: readonly Collation[] = [
  defaultCollation,
  // RFC 4790 §9.2: only the letters of ASCII are folded.
  { name: 'i;ascii-casemap', fold: text => text.replace(/[a-z]+/g, letters => letters.toUpperCase()) },
  // RFC 4790 §9.3.
  { name: 'i;octet', fold: text => text },
]

/** The collations that a specification names: a name in which `*` stands for anything, ascending (RFC 4790 §3.2, §3.3), or "default". */
export function findCollations(specification: string): readonly Collation[] {
  const wanted = specification.toLowerCase().replace(/^\+/, '')
  if (wanted === 'default') return [defaultCollation]
  const pieces = wanted.split('*')
  return collations.filter(({ name }) => fits(name, pieces))
}

/** Whether `name` is the pieces one after another, with anything between them. */
function fits(name: string, pieces: readonly string[]): boolean {
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found < 0) return false
    at = found + piece.length
  }
  return at <= name.length - last.length
}
