// Text as SEARCH compares it: without regard to case, and to the ways of writing one character. RFC 5051 (i;unicode-casemap).

/**
 * The text decomposed (NFKD) and each character in title case. Two texts are equal to SEARCH when their folded forms are, and one holds the other when
 * its folded form does. Folding twice changes nothing.
 *
 * What RFC 5051 §2 holds for equal is equal here. It decomposes after the title case and so leaves the letters in `ª` or `ﬁ` as small ones, which then
 * equal neither; here they lose their case like others.
 */
export function foldCase(text: string): string {
  // ASCII stands for itself.
  if (isAscii(text)) return text.toUpperCase()
  const decomposed = text.normalize('NFKD')
  // Title case is upper case, but for these, which have none of their own: RFC 5051 goes by the simple mapping, one character to one.
  return hasNoTitle.test(decomposed)
    ? decomposed.replace(others, part => part.toUpperCase())
    : decomposed.toUpperCase()
}

export function isAscii(text: string): boolean {
  // Many times as fast as to look at each character.
  return Buffer.byteLength(text) === text.length
}

/** Sharp s, and the letters of Georgian, whose capitals are for whole words only (UnicodeData.txt). */
const hasNoTitle = /[ß\u10d0-\u10fa\u10fd-\u10ff]/
const others = /[^ß\u10d0-\u10fa\u10fd-\u10ff]+/g

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
