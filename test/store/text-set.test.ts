import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TextSet } from '../../src/store/text-set.ts'

const order = { name: 'as they are', keyOf: (text: string) => text }
const unit = fc.constantFrom('a', 'b', '\0', '~', '}', '\x7f', '\x80', '\x81', '\u3042', '\ud7ff')

test('texts are ranked in the order of their keys, whatever their characters and lengths (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit, maxLength: 10 })),
      fc.boolean(),
      async (texts, findsEqual) => {
        const set = new TextSet(findsEqual)
        const numbers = texts.map(text => set.add(text))
        for (const [at, text] of texts.entries()) assert.equal(set.textAt(numbers[at] as number), text)
        const ranks = await set.ranks(order, () => undefined)
        const distinct = [...new Set(['', ...texts])].sort((a, b) => (a < b ? -1 : 1))
        for (const [at, text] of texts.entries())
          assert.equal(ranks[numbers[at] as number], distinct.indexOf(text), JSON.stringify(text))
      },
    ),
    { numRuns: 500 },
  )
})

test('equal texts have one number, or one each where that is not asked for', () => {
  const [one, each] = [new TextSet(), new TextSet(false)]
  assert.deepEqual(
    ['a', '', 'b', 'a'].map(text => one.add(text)),
    [1, 0, 2, 1],
  )
  assert.deepEqual(
    ['a', '', 'b', 'a'].map(text => each.add(text)),
    [1, 0, 2, 3],
  )
})
