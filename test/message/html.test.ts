import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeEntities, htmlTextPieces, htmlToText } from '../../src/message/html.ts'

function words(html: string): string {
  return htmlToText(html).split(/\s+/).filter(Boolean).join(' ')
}

const cases: readonly (readonly [html: string, text: string])[] = [
  ['<p>Hello <b>wor</b>ld</p><p>again</p>', 'Hello world again'],
  ['<style>p { color: red }</style><script>if (a < b) x("</p>")</script>text', 'text'],
  ['<head><title>t</title></head><body>b', 'b'],
  ['<!-- <p>no</p> -->yes<!DOCTYPE html><?xml ?>', 'yes'],
  ['<a title="a > b" href=x>link</a>', 'link'],
  ['a &amp; b &lt;c&gt; &quot;d&quot; &#233;&#xe9; &auml;&Ccedil;&nbsp;&hellip;', 'a & b <c> "d" éé äÇ …'],
  ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
  ['&unknown; &', '&unknown; &'],
  ['&#0; &#xd800; &#99999999;', '&#0; &#xd800; &#99999999;'],
  ['a<br>b<td>c</td><td>d</td>', 'a b c d'],
  ['<script/>shown', 'shown'],
  ['never closed <b attr="', 'never closed'],
  ['<style>never closed', ''],
  ['&constructor; &__proto__;', '&constructor; &__proto__;'],
]

for (const [html, text] of cases) test(`html: ${html}`, () => assert.equal(words(html), text))

test('no HTML makes it throw', () => {
  const pieces = fc.constantFrom(
    '<',
    '>',
    '</',
    'style',
    'script',
    '"',
    "'",
    '=',
    '&',
    '#',
    ';',
    '!--',
    '-->',
    'a',
    ' ',
    '/',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 50 }), text => {
      assert.equal(typeof htmlToText(text.join('')), 'string')
      decodeEntities(text.join(''))
    }),
    { numRuns: 2000 },
  )
})

test('hostile HTML takes linear time', () => {
  const start = performance.now()
  for (const piece of [
    '<',
    '<a',
    '<!--',
    '<style>',
    '</',
    '&',
    '&#',
    '<a href="',
    '<script></scrip',
    '<a b=\'">',
  ] as const) {
    htmlToText(piece.repeat(200_000))
  }
  assert(performance.now() - start < 4000)
})

test('pieces of any length are the whole, and references are not cut', () => {
  const unit = fc.constantFrom(
    '<',
    '>',
    '&amp;',
    '&',
    'a',
    'x'.repeat(40_000),
    '<b>',
    '</b>',
    '<br>',
    '<!--',
    '-->',
    '"',
    '&#65;',
    '<style>',
    '</style>',
  )
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (units, pieceChars) => {
      const html = units.join('')
      assert.equal([...htmlTextPieces(html, pieceChars)].join(''), htmlToText(html))
    }),
    { numRuns: 200 },
  )
  assert.equal(htmlToText(`${'x'.repeat(65_534)}&amp;y`), `${'x'.repeat(65_534)}&y`)
})
