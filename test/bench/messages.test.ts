// The generator of benchmark mail: the same on every machine, and well-formed.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { messageOfSize, realisticMessage, smallMessage } from '../../bench/messages.ts'

test('a number always gives the same message', () => {
  const hash = createHash('sha256')
  for (let number = 0; number < 50; number++) {
    hash.update(realisticMessage(number)).update(smallMessage(number)).update(messageOfSize(number, 10_240))
  }
  assert.equal(hash.digest('hex'), '024b824397ca005a9537e41eaf208f9f9839a0afd5e1256dbede4cf60650e74b')
})

test('different numbers give different messages', () => {
  const seen = new Set(
    Array.from({ length: 2000 }, (_, number) => messageOfSize(number, 2000).toString('latin1')),
  )
  assert.equal(seen.size, 2000)
})

test('every line ends in CRLF and messageOfSize has exactly the size', () => {
  for (let number = 0; number < 300; number++) {
    for (const message of [
      realisticMessage(number),
      smallMessage(number),
      messageOfSize(number, 3000 + number),
    ]) {
      const text = message.toString('latin1')
      assert.doesNotMatch(text, /[^\r]\n|\r(?!\n)/)
      assert.ok(text.endsWith('\r\n'))
      assert.ok(text.includes('\r\n\r\n'))
    }
    assert.equal(messageOfSize(number, 3000 + number).length, 3000 + number)
  }
})

test('realistic messages have the sizes that the documentation claims', () => {
  let sum = 0
  let largest = 0
  for (let number = 0; number < 500; number++) {
    const { length } = realisticMessage(number)
    sum += length
    largest = Math.max(largest, length)
  }
  assert.ok(sum / 500 > 50_000 && sum / 500 < 110_000, `mean ${sum / 500}`)
  assert.ok(largest > 1_000_000 && largest < 8_000_000, `largest ${largest}`)
})
