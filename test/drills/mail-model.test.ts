// The model of the kill -9 drill finds each kind of loss, and allows what a crash may leave.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { change, hashOf, MailModel, type ModelMailbox, parseFetches } from './mail-model.ts'

const message = (text: string, ...flags: string[]) => ({
  hash: hashOf(Buffer.from(text)),
  flags: new Set(flags),
})

function box(
  uidNext: number,
  messages: Record<number, ReturnType<typeof message>>,
  more: Partial<ModelMailbox> = {},
) {
  const entries = Object.entries(messages).map(([uid, found]) => [Number(uid), found] as const)
  return { uidValidity: 7, uidNext, highestModSeq: 10n, messages: new Map(entries), ...more }
}

function begun(): MailModel {
  const model = new MailModel()
  model.observe(
    new Map([
      ['a', box(3, { 1: message('one'), 2: message('two', '\\Seen') })],
      ['b', box(1, {})],
    ]),
  )
  return model
}

function judge(model: MailModel, a: ModelMailbox, b: ModelMailbox = box(1, {})): string[] {
  return model.observe(
    new Map([
      ['a', a],
      ['b', b],
    ]),
  )
}

test('what was acknowledged has to be there', () => {
  const model = begun()
  model.begin(change({ added: [{ mailbox: 'a', message: message('three') }] }))
  model.acknowledge([3])
  assert.match(
    judge(model, box(4, { 1: message('one'), 2: message('two', '\\Seen') })).join(),
    /acknowledged UID 3 is lost/,
  )
})

test('what was under way may be there whole or not at all', () => {
  const planned = change({
    added: [{ mailbox: 'b', message: message('one') }],
    removed: [{ mailbox: 'a', uid: 1 }],
  })
  const seen = message('two', '\\Seen')
  for (const [a, b, isRight] of [
    [box(3, { 1: message('one'), 2: seen }), box(1, {}), true],
    [box(3, { 2: seen }), box(2, { 1: message('one') }), true],
    [box(3, { 2: seen }), box(1, {}), false],
    [box(3, { 1: message('one'), 2: seen }), box(2, { 1: message('one') }), false],
  ] as const) {
    const model = begun()
    model.begin(planned)
    assert.equal(judge(model, a, b).length === 0, isRight)
  }
})

test('flags that were acknowledged have to be there', () => {
  const model = begun()
  model.begin(change({ flagged: [{ mailbox: 'a', uid: 1, flags: new Set(['\\Flagged']) }] }))
  model.acknowledge([])
  assert.match(
    judge(model, box(3, { 1: message('one'), 2: message('two', '\\Seen') })).join(),
    /UID 1 is .* instead of .*Flagged/,
  )
})

test('a UID is never given to another message, not even after an expunge', () => {
  const model = begun()
  model.begin(change({ removed: [{ mailbox: 'a', uid: 2 }] }))
  model.acknowledge([])
  assert.deepEqual(judge(model, box(3, { 1: message('one') })), [])
  model.begin(change({ added: [{ mailbox: 'a', message: message('new') }] }))
  assert.match(
    judge(model, box(3, { 1: message('one'), 2: message('new') })).join(),
    /UID 2 is another message now/,
  )
})

test('UIDVALIDITY, UIDNEXT and HIGHESTMODSEQ do not change or go back', () => {
  const same = { 1: message('one'), 2: message('two', '\\Seen') }
  assert.match(judge(begun(), box(3, same, { uidValidity: 8 })).join(), /UIDVALIDITY/)
  assert.match(judge(begun(), box(2, same)).join(), /UIDNEXT went/)
  assert.match(judge(begun(), box(3, same, { highestModSeq: 9n })).join(), /HIGHESTMODSEQ went/)
})

test('a message that no one sent is told', () => {
  const seen = { 1: message('one'), 2: message('two', '\\Seen'), 3: message('ghost') }
  assert.match(judge(begun(), box(4, seen)).join(), /came from nowhere/)
})

test('FETCH answers are read in any order of items', () => {
  const wire =
    '* 1 FETCH (UID 5 FLAGS (\\Seen \\Recent) BODY[] {7}\r\na\r\n* 2\n)\r\n* 2 FETCH (BODY[] {2}\r\nhi UID 6 FLAGS ())\r\nx OK done\r\n'
  const found = parseFetches(Buffer.from(wire)).map(({ uid, flags, body }) => [
    uid,
    [...flags],
    body.toString(),
  ])
  assert.deepEqual(found, [
    [5, ['\\Seen'], 'a\r\n* 2\n'],
    [6, [], 'hi'],
  ])
})
