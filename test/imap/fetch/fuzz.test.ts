import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { message } from '../harness.ts'
import { openInbox } from './mailbox.ts'

const words = [
  'ALL',
  'FULL',
  'FAST',
  'FLAGS',
  'UID',
  'MODSEQ',
  'ENVELOPE',
  'BODY',
  'BODY[',
  'BODY.PEEK[',
  'BINARY[',
  'BINARY.PEEK[',
  'BINARY.SIZE[',
  'BODYSTRUCTURE',
  'RFC822',
  'RFC822.TEXT',
  'RFC822.SIZE',
  'INTERNALDATE',
  'SAVEDATE',
  'EMAILID',
  'THREADID',
  'HEADER',
  'HEADER.FIELDS',
  'HEADER.FIELDS.NOT',
  'TEXT',
  'MIME',
  '1',
  '2.1',
  '1.HEADER',
  '.',
  '[',
  ']',
  '<',
  '>',
  '<0.5>',
  '<9.',
  '(',
  ')',
  'CHANGEDSINCE',
  'VANISHED',
  '1:*',
  '*',
  '$',
  ',',
  ':',
  '1,3',
  '0',
  '4294967295',
  '4294967296',
  '9223372036854775807',
  '99999999999999999999',
  'NIL',
  '""',
  '"x"',
  '"\\"',
  '"a\\"b"',
  '{1+}\r\nx',
  '{0+}\r\n',
  '~{1+}\r\n\0',
  '{3+}\r\n)\r\n',
  '__proto__',
  'constructor',
  '\xff',
  '\x7f',
  '%',
  'RETURN',
  '(MIN)',
  '(ALL COUNT)',
  '(SAVE)',
  'CHARSET',
  'UTF-8',
  'US-ASCII',
  'KOI8-R',
  'x-none',
  'NOT',
  'OR',
  'SEEN',
  'UNSEEN',
  'NEW',
  'KEYWORD',
  'SUBJECT',
  'BODY',
  'FROM',
  'SINCE',
  '1-Feb-2024',
  '"1-Feb-2024"',
  '31-Feb-2024',
  'LARGER',
  'OLDER',
  'UID',
  '"/flags/\\\\seen"',
  'all',
  'priv',
  'E1',
  'T1',
]

/** Every response is whole: strings and literals end, parentheses are balanced. */
function assertWhole(line: string): void {
  let depth = 0
  for (let at = 0; at < line.length; at++) {
    const char = line[at]
    if (char === '"') {
      for (at++; line[at] !== '"'; at++) {
        assert.ok(at < line.length, `a quoted string has no end: ${line}`)
        if (line[at] === '\\') at++
      }
    } else if (char === '{') {
      const head = /^\{(\d+)\}\r\n/.exec(line.slice(at))
      assert.ok(head, line)
      at += head[0].length + Number(head[1]) - 1
    } else if (char === '(') depth++
    else if (char === ')') depth--
  }
  assert.equal(depth, 0, line)
}

const sets = fc.constantFrom('1', '1:*', '2,1', '*', '$', '1:99', '3')
const paths = fc.array(fc.constantFrom('1', '2', '3'), { maxLength: 3 }).map(list => list.join('.'))
const sections = fc.oneof(
  paths,
  fc
    .tuple(
      paths,
      fc.constantFrom(
        'HEADER',
        'TEXT',
        'MIME',
        'HEADER.FIELDS (Subject "x y")',
        'HEADER.FIELDS.NOT ({2+}\r\nTo)',
      ),
    )
    .map(([path, text]) => (path ? `${path}.${text}` : text)),
)
const partials = fc.oneof(
  fc.constant(''),
  fc.tuple(fc.nat(300), fc.nat(300)).map(([offset, count]) => `<${offset}.${count}>`),
)
const items = fc.oneof(
  fc.constantFrom(
    'FLAGS',
    'UID',
    'MODSEQ',
    'ENVELOPE',
    'BODY',
    'BODYSTRUCTURE',
    'INTERNALDATE',
    'SAVEDATE',
    'EMAILID',
    'THREADID',
    'RFC822',
    'RFC822.SIZE',
    'RFC822.TEXT',
    'RFC822.HEADER',
  ),
  fc
    .tuple(fc.constantFrom('BODY', 'BODY.PEEK'), sections, partials)
    .map(([name, section, partial]) => `${name}[${section}]${partial}`),
  fc
    .tuple(fc.constantFrom('BINARY', 'BINARY.PEEK'), paths, partials)
    .map(([name, path, partial]) => `${name}[${path}]${partial}`),
  paths.map(path => `BINARY.SIZE[${path}]`),
)
const fetches = fc
  .tuple(
    fc.constantFrom('FETCH', 'UID FETCH'),
    sets,
    fc.array(items, { minLength: 1, maxLength: 5 }),
    fc.constantFrom('', '', ' (CHANGEDSINCE 1)'),
  )
  .map(([name, set, list, modifier]) => `${name} ${set} (${list.join(' ')})${modifier}`)

const strings = fc.oneof(
  fc.constantFrom('one', '"Hello"', '""', '{3+}\r\ntwo', '{2+}\r\n\xc3\xa9', '{1+}\r\n\xff', '"\\""'),
)
const dates = fc.constantFrom('1-Feb-2024', '"29-Feb-2024"', '30-Feb-2024', '1-Jan-0001', '31-Dec-9999')
const { key: keys } = fc.letrec<{ key: string }>(tie => ({
  key: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(
      'ALL',
      'SEEN',
      'UNSEEN',
      'NEW',
      'OLD',
      'RECENT',
      'KEYWORD x',
      'UID 1:*',
      'UID $',
      '1',
      '*',
      '$',
      'LARGER 100',
      'SMALLER 4294967296',
      'OLDER 5',
      'YOUNGER 5',
      'MODSEQ 1',
      'EMAILID E1',
      'THREADID T2',
      'SAVEDATESUPPORTED',
    ),
    fc
      .tuple(
        fc.constantFrom('SUBJECT', 'FROM', 'TO', 'CC', 'BCC', 'BODY', 'TEXT', 'HEADER subject', 'HEADER ""'),
        strings,
      )
      .map(([name, text]) => `${name} ${text}`),
    fc
      .tuple(
        fc.constantFrom(
          'BEFORE',
          'ON',
          'SINCE',
          'SENTBEFORE',
          'SENTON',
          'SENTSINCE',
          'SAVEDBEFORE',
          'SAVEDON',
          'SAVEDSINCE',
        ),
        dates,
      )
      .map(([name, date]) => `${name} ${date}`),
    tie('key').map(inner => `NOT ${inner}`),
    fc.tuple(tie('key'), tie('key')).map(([a, b]) => `OR ${a} ${b}`),
    fc.array(tie('key'), { minLength: 1, maxLength: 3 }).map(list => `(${list.join(' ')})`),
  ),
}))
const searches = fc
  .tuple(
    fc.constantFrom('SEARCH', 'UID SEARCH'),
    fc.constantFrom('', '', ' RETURN ()', ' RETURN (MIN MAX)', ' RETURN (SAVE)', ' RETURN (ALL SAVE COUNT)'),
    fc.constantFrom('', '', ' CHARSET UTF-8', ' CHARSET iso-8859-1', ' CHARSET x-none'),
    fc.array(keys, { minLength: 1, maxLength: 3 }),
  )
  .map(([name, returns, charset, list]) => `${name}${returns}${charset} ${list.join(' ')}`)

const anything = fc
  .tuple(
    fc.constantFrom(
      'FETCH ',
      'UID FETCH ',
      'SEARCH ',
      'UID SEARCH ',
      'FETCH 1:2 (',
      'FETCH 1 BODY.PEEK[',
      'SEARCH RETURN (',
    ),
    fc.array(fc.tuple(fc.constantFrom(...words), fc.constantFrom('', ' ', ' ', ' ')), { maxLength: 10 }),
  )
  .map(([start, list]) => `${start}${list.flat().join('')}`)

for (const [name, commands] of Object.entries({
  'FETCH as it should be': fetches,
  'SEARCH as it should be': searches,
  'words in any order': anything,
})) {
  test(`${name}: each command gets OK, NO or BAD, whole responses, and the session goes on`, async t => {
    const { imap } = await openInbox(t, [message('one'), message('two', 'a\0b"(\r\n')])
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(commands, async command => {
        const { status, tagged, untagged } = await imap.command(command)
        assert.ok(['OK', 'NO', 'BAD'].includes(status), `${command}: ${tagged}`)
        assert.ok(!tagged.includes('SERVERBUG'), `${command}: ${tagged}`)
        for (const line of untagged) assertWhole(line)
        seen.set(status, (seen.get(status) ?? 0) + 1)
        // Ten bad commands in a row would end the session.
        await imap.ok('NOOP')
      }),
      { numRuns: 1000 },
    )
    t.diagnostic(JSON.stringify([...seen]))
  })
}
