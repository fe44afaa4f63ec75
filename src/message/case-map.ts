// Text as SEARCH compares it: without regard to case, and to the ways of writing one character. RFC 5051 (i;unicode-casemap).

/**
 * The text with each character in its upper case and decomposed (NFKD). Two texts are equal to SEARCH when their folded forms are,
 * and one holds the other when its folded form does. Folding twice changes nothing.
 */
export function foldCase(text: string): string {
  // Upper rather than lower case: 'Σ' has two lower-case forms, by its place in the word. Of all decomposed characters only 'ß' grows in
  // upper case, and RFC 5051 maps characters one by one.
  return text.normalize('NFKD').replaceAll('ß', 'ẞ').toUpperCase()
}

/** Marks in a row that are kept together where a long text is folded in pieces. */
export const markMargin = 64

const mark = /[\p{M}\uff9e\uff9f\udc00-\udfff]/u
const longMarks = /[\p{M}\uff9e\uff9f]{48}/u

/** Whether a code unit belongs to the character before it: it may be put in order with other marks when the text is folded, or is half a character. */
export function isMark(unit: number): boolean {
  return unit >= 0x300 && mark.test(String.fromCharCode(unit))
}

/** Whether folding the text in pieces can differ from folding it whole: more marks on one character than `markMargin` holds (some have two code units). */
export function hasLongMarks(text: string): boolean {
  return longMarks.test(text)
}
