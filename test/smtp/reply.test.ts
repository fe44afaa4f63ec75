import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { limits } from '../../src/base/limits.ts'
import { encodeReply, ReplyError, ReplyParser, SmtpRefusal } from '../../src/smtp/reply.ts'

const feed = (...lines: string[]) => {
  const parser = new ReplyParser()
  return lines.map(line => parser.push(Buffer.from(line)))
}

test('a reply is written with its codes on each line', () => {
  assert.equal(encodeReply({ code: 250, status: '2.1.0', text: 'Fine' }), '250 2.1.0 Fine\r\n')
  assert.equal(encodeReply({ code: 250, text: ['a', 'b'] }), '250-a\r\n250 b\r\n')
  assert.deepEqual(new SmtpRefusal(550, '5.1.1', 'Nobody').reply, {
    code: 550,
    status: '5.1.1',
    text: 'Nobody',
  })
})

test('a reply never carries CR, LF, NUL or anything but ASCII', () => {
  for (const text of ['a\r\nb', 'a\nb', 'a\0b', 'ü'])
    assert.throws(() => encodeReply({ code: 250, text }), /printable/)
})

test('replies of one and many lines are read', () => {
  assert.deepEqual(feed('250-a', '250-2.1.0 b', '250 c'), [
    undefined,
    undefined,
    { code: 250, status: '2.1.0', lines: ['a', 'b', 'c'] },
  ])
  assert.deepEqual(feed('354')[0], { code: 354, status: undefined, lines: [''] })
  assert.deepEqual(feed('550 5.7.1 no')[0], { code: 550, status: '5.7.1', lines: ['no'] })
})

test('an enhanced status of another class than the code is text (RFC 2034 §4)', () => {
  assert.deepEqual(feed('550 4.7.1 no')[0], { code: 550, status: undefined, lines: ['4.7.1 no'] })
})

test('what is no reply is refused', () => {
  for (const bad of [
    '',
    '25',
    '2500 x',
    '150 x',
    '650 x',
    '260x',
    '260 x',
    '250x',
    'abc',
    '250_x',
    '\0',
    '+OK',
  ])
    assert.throws(() => feed(bad), ReplyError, bad)
  assert.throws(() => feed('250-a', '251 b'), ReplyError)
})

test('a reply has so many lines and not one more', () => {
  const parser = new ReplyParser()
  for (let i = 0; i < limits.smtp.replyLines; i++) parser.push(Buffer.from('250-x'))
  assert.throws(() => parser.push(Buffer.from('250 x')), ReplyError)
})

test('fuzz: any line is a reply or a ReplyError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 5 }), lines => {
      const parser = new ReplyParser()
      try {
        for (const line of lines) parser.push(Buffer.from(line))
      } catch (error) {
        assert.ok(error instanceof ReplyError)
      }
    }),
  )
})
