import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDate, formatInternalDate, parseDate } from '../../src/message/date.ts'

const cases: readonly (readonly [value: string, iso: string, zoneMinutes: number])[] = [
  ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z', -360],
  ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z', 0],
  ['1 Jan 49 00:00 +0000', '2049-01-01T00:00:00.000Z', 0],
  ['1 Jan 50 00:00 +0000', '1950-01-01T00:00:00.000Z', 0],
  ['1 Jan 103 00:00 +0000', '2003-01-01T00:00:00.000Z', 0],
  [
    'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
    '1969-02-14T03:02:00.000Z',
    -210,
  ],
  ['Wed, 15 Dec 2010 12:21:20 EST', '2010-12-15T17:21:20.000Z', -300],
  ['Wed, 15 Dec 2010 12:21:20 A', '2010-12-15T12:21:20.000Z', 0],
  ['Tue Jan  2 15:04:05 2007', '2007-01-02T15:04:05.000Z', 0],
  ['Tue Jan  2 15:04:05 PST 2007', '2007-01-02T23:04:05.000Z', -480],
  ['2-Jan-2007 15:04:05 +0130', '2007-01-02T13:34:05.000Z', 90],
  ['2007-01-02T15:04:05+01:00', '2007-01-02T14:04:05.000Z', 60],
  ['Mon, 02 Jan 2006 15:04:05 GMT+2', '2006-01-02T13:04:05.000Z', 120],
  ['Fri, 31 (odd) Dec (\\) very) 2004 23:59:60 +0000', '2005-01-01T00:00:00.000Z', 0],
  ['5 Mar 2024 1:02 pm +0000', '2024-03-05T13:02:00.000Z', 0],
  ['Tue, 5 Mar 2024 10.11.12 +0000', '2024-03-05T10:11:12.000Z', 0],
]

for (const [value, iso, zoneMinutes] of cases) {
  test(`a date: ${value.replaceAll(/\s+/g, ' ')}`, () => {
    const date = parseDate(value)
    assert.equal(date === undefined ? date : new Date(date.epochMs).toISOString(), iso)
    assert.equal(date?.zoneMinutes, zoneMinutes)
  })
}

for (const value of [
  '',
  'tomorrow',
  '99 Xyz 2000',
  '32 Jan 2000 00:00 +0000',
  '1 Jan 2000 25:00 +0000',
  '(((((',
  '1 1 1 1 1',
]) {
  test(`no date: ${value}`, () => assert.equal(parseDate(value), undefined))
}

test('what is formatted is parsed back, in any zone (RFC 5322 §3.3, RFC 9051 §9)', () => {
  const moment = fc.integer({ min: Date.UTC(1970, 0, 2) / 1000, max: Date.UTC(9998, 0) / 1000 })
  fc.assert(
    fc.property(moment, fc.integer({ min: -14 * 60, max: 14 * 60 }), (seconds, zoneMinutes) => {
      const expected = { epochMs: seconds * 1000, zoneMinutes }
      assert.deepEqual(parseDate(formatDate(seconds * 1000, zoneMinutes)), expected)
      const internal = formatInternalDate(seconds * 1000, zoneMinutes)
      assert.match(internal, /^[ \d]\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d [+-]\d{4}$/)
      assert.deepEqual(parseDate(internal), expected)
    }),
  )
})

test('no text makes the date parser throw', () => {
  const pieces = fc.constantFrom(
    '1',
    '2024',
    ':',
    '-',
    '+',
    ' ',
    'Jan',
    'pm',
    '(',
    ')',
    '\\',
    ',',
    '.',
    'GMT',
    '0100',
  )
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), text => {
      const date = parseDate(text.join(''))
      assert(date === undefined || Number.isFinite(date.epochMs))
    }),
    { numRuns: 2000 },
  )
})
