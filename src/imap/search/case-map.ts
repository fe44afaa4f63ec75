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
