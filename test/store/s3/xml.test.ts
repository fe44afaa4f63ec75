// The XML of S3's answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elementsOf, encodeText, findElement } from '../../../src/store/s3/xml.ts'

test('an element is found by its whole name, with or without attributes', () => {
  const xml = '<R xmlns="u"><KeyCount>2</KeyCount><Key a="1">x</Key><Key/><Key>y</Key></R>'
  assert.deepEqual([...elementsOf(xml, 'Key')], ['x', '', 'y'])
  assert.equal(findElement(xml, 'KeyCount'), '2')
  assert.equal(findElement(xml, 'Nothing'), undefined)
})

test('entities are read, and what is none stays as it is', () => {
  assert.equal(
    findElement('<K>&quot;a&amp;b&quot; &#228;&#xE4; &lt;&gt;&apos; &none; &#x110000;</K>', 'K'),
    `"a&b" ää <>' &none; &#x110000;`,
  )
})

test('any text comes back', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      assert.equal(findElement(`<A><K>${encodeText(text)}</K></A>`, 'K'), text)
    }),
  )
})

test('a torn document gives what is whole, and no error', () => {
  const xml = '<R><Key>one</Key><Key>two</Key></R>'
  for (let end = 0; end <= xml.length; end++) {
    const found = [...elementsOf(xml.slice(0, end), 'Key')]
    assert.deepEqual(found, ['one', 'two'].slice(0, found.length))
  }
})
