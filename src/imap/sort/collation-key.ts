// Texts as SORT and THREAD put them in order. RFC 5256 §7; RFC 5051 (i;unicode-casemap).
import { foldCase } from '../search/case-map.ts'

/** Texts are in the collation's order when these strings are in JavaScript's: the octets of UTF-8, which is the order of code points. */
export function collationKey(text: string): string {
  return foldCase(text).replace(/[\ud800-\uffff]/g, byCodePoint)
}

/** UTF-16 has the surrogates, which stand for the highest code points, below U+E000. */
function byCodePoint(unit: string): string {
  const code = unit.charCodeAt(0)
  return String.fromCharCode(code >= 0xe000 ? code - 0x800 : code + 0x2000)
}
