// Texts as SORT and THREAD put them in order, by the session's comparator. RFC 5256 §7; RFC 5051 (i;unicode-casemap); RFC 5255 §4.6.
import { type Collation, defaultCollation } from '../search/collation.ts'

/** Texts are in the collation's order when these strings are in JavaScript's: the octets of UTF-8, which is the order of code points. */
export function collationKey(text: string, { fold }: Collation = defaultCollation): string {
  return fold(text).replace(/[\ud800-\uffff]/g, byCodePoint)
}

/** UTF-16 has the surrogates, which stand for the highest code points, below U+E000. */
function byCodePoint(unit: string): string {
  const code = unit.charCodeAt(0)
  return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000)
}
