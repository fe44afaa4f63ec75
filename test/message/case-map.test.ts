import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldCase } from '../../src/message/case-map.ts'

/** Every character that there is. */
function* characters(): Generator<string> {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) yield String.fromCodePoint(code)
  }
}

/** Simple title case as far as Node tells: its upper case where that is one character, but the digraphs that have a title case of their own. */
function simpleTitle(char: string): string {
  const digraph = ['Ǆǅǆ', 'Ǉǈǉ', 'Ǌǋǌ', 'Ǳǲǳ'].find(all => all.includes(char))
  if (digraph) return digraph.charAt(1)
  // Georgian has capitals that are no title case.
  if (/[\u10d0-\u10ff]/.test(char)) return char
  const upper = char.toUpperCase()
  return upper.length === String.fromCodePoint(upper.codePointAt(0) as number).length ? upper : char
}

test('a character and its simple title case are equal, over all of Unicode (RFC 5051 §2)', () => {
  let mapped = 0
  for (const char of characters()) {
    const title = simpleTitle(char)
    if (title === char) continue
    mapped++
    assert.equal(foldCase(char), foldCase(title), `U+${(char.codePointAt(0) as number).toString(16)}`)
  }
  assert.ok(mapped > 1300, String(mapped))
})

test('a character and its decompositions are equal, over all of Unicode (RFC 5051 §2)', () => {
  for (const char of characters()) {
    const folded = foldCase(char)
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const)
      assert.equal(foldCase(char.normalize(form)), folded, char)
  }
})

test('folding twice changes nothing, over all of Unicode', () => {
  for (const char of characters()) {
    const folded = foldCase(char)
    assert.equal(foldCase(folded), folded, char)
  }
})

test('what has no simple title case keeps its own: sharp s is neither its capital nor "ss" (RFC 5051 §2)', () => {
  assert.equal(foldCase('ß'), 'ß')
  assert.equal(foldCase('Straße'), 'STRAßE')
  assert.notEqual(foldCase('ß'), foldCase('ẞ'))
  assert.notEqual(foldCase('ß'), foldCase('ss'))
  // The capitals of Georgian are no title case.
  assert.equal(foldCase('ა'), 'ა')
  assert.notEqual(foldCase('ა'), foldCase('Ა'))
  assert.equal(foldCase('xაß y'), 'XაßY'.replace('Y', ' Y'))
})

test('digraphs, final sigma, ligatures and stylised letters lose their case with the rest', () => {
  for (const [one, other] of [
    ['Ǆ', 'ǆ'],
    ['ǅ', 'dž'],
    ['Σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['oﬃce', 'OFFICE'],
    ['㎏', 'KG'],
    ['ª', 'a'],
    ['𝐚', 'A'],
    ['ａ', 'A'],
    ['é', 'E\u0301'],
    ['ᾳ', 'ᾼ'],
    ['ŉ', 'ʼN'],
    ['ı', 'I'],
    ['ſ', 's'],
  ] as const)
    assert.equal(foldCase(one), foldCase(other), `${one} ${other}`)
})
