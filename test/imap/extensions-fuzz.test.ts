import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ImapClient } from './client.ts'
import { message, startImap } from './harness.ts'

/** Pieces of the extensions' grammar, good and bad. */
const words = [
  'GETMETADATA',
  'SETMETADATA',
  'GETQUOTA',
  'GETQUOTAROOT',
  'SETQUOTA',
  'GENURLAUTH',
  'URLFETCH',
  'RESETKEY',
  'NOTIFY',
  'COMPARATOR',
  'LANGUAGE',
  'UIDBATCHES',
  'XLIST',
  'REPLACE',
  'UID REPLACE',
  'APPEND',
  'UID SEARCH',
  'UID FETCH',
  'STATUS',
  'LIST',
  'ENABLE',
  'SET',
  'NONE',
  'STATUS',
  'selected',
  'selected-delayed',
  'personal',
  'subtree',
  'mailboxes',
  'MessageNew',
  'MessageExpunge',
  'FlagChange',
  'MailboxName',
  'ServerMetadataChange',
  'MAXSIZE',
  'DEPTH',
  'infinity',
  '/private/comment',
  '/shared/comment',
  '/private',
  'NIL',
  '""',
  '"x"',
  'INBOX',
  'Drafts',
  '"&AOk-"',
  '"\xc3\xa9"',
  '"\xff"',
  'CATENATE',
  'URL',
  'TEXT',
  'UTF8',
  '"/INBOX/;UID=1"',
  '";UID=1/;SECTION=1"',
  '"imap://alice%40example.test@mail.example.test/INBOX/;UID=1;URLAUTH=anonymous"',
  'INTERNAL',
  'BINARY',
  'BODYPARTSTRUCTURE',
  'STORAGE',
  'MESSAGE',
  'PREVIEW',
  '(LAZY)',
  'FILTER',
  'CONVERT',
  'UID CONVERT',
  'CONVERSIONS',
  '(NIL)',
  '("text/plain" ("charset" "utf-8"))',
  'BINARY[1]',
  'BODY[HEADER]',
  'ANNOTATION',
  '(/comment (value.priv "x"))',
  '(/comment value)',
  '/*',
  'value.shared',
  'AnnotationChange',
  'X-GM-LABELS',
  '+X-GM-LABELS',
  '-X-GM-LABELS',
  'X-GM-MSGID',
  'X-GM-RAW',
  '"is:unread -{a b}"',
  'UID STORE',
  '(\\Inbox)',
  '(\\Starred)',
  'UIDAFTER',
  '/private/filters/values/x',
  'UIDBEFORE',
  'RETURN',
  'METADATA',
  'DELETED-STORAGE',
  'HIGHESTMODSEQ',
  'i;octet',
  '"*"',
  '*',
  '%',
  'de',
  'ja',
  'UIDONLY',
  'METADATA-SERVER',
  'UTF8=ACCEPT',
  'QRESYNC',
  '1',
  '0',
  '1:2',
  '1:*',
  '$',
  '4294967295',
  '99999999999',
  '(',
  ')',
  '()',
  '{3+}\r\nabc',
  '~{3+}\r\na\0b',
  '{0+}\r\n',
  '\\Seen',
  '(\\Seen)',
  '"17-Jul-1996 02:44:25 -0700"',
]

/** Sends one command, which may be refused but must not be a fault of the server. */
async function say(client: ImapClient, text: string): Promise<void> {
  const { tagged, untagged } = await client.command(text)
  for (const line of [...untagged, tagged]) assert.doesNotMatch(line, /SERVERBUG/, text)
}

test('no words of the extensions, in whatever order, are a fault of the server', async t => {
  const server = await startImap(t)
  const other = await server.client()
  await other.append('INBOX', message('one'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 9 }), {
        minLength: 5,
        maxLength: 25,
      }),
      fc.boolean(),
      async (commands, isSelected) => {
        const client = await server.client()
        if (isSelected) await client.ok('SELECT INBOX')
        for (const command of commands) {
          // Spaces between most of the words, none between some.
          const text = command.join(' ').replaceAll('( ', '(').replaceAll(' )', ')')
          await say(client, text)
          await client.ok('NOOP')
        }
        client.end()
      },
    ),
    { numRuns: 60 },
  )
  assert.equal((await other.command('NOOP')).status, 'OK')
})

/** Commands that are right, to be made a little wrong. */
const right = [
  'GETMETADATA (DEPTH infinity MAXSIZE 10) INBOX (/private/comment /shared/x)',
  'SETMETADATA INBOX (/private/comment "x" /shared/y NIL /private/z {3+}\r\nabc)',
  'SETMETADATA "" (/private/vendor/a/b ~{3+}\r\na\0b)',
  'LIST (SUBSCRIBED RECURSIVEMATCH) "" (INBOX %) RETURN (METADATA (/private/x) STATUS (MESSAGES DELETED-STORAGE))',
  'GETQUOTAROOT INBOX',
  'SETQUOTA alice@example.test (STORAGE 512 MAILBOX 3)',
  'GENURLAUTH "imap://alice%40example.test@mail.example.test/INBOX;UIDVALIDITY=1/;UID=1/;SECTION=1.MIME/;PARTIAL=1.9;EXPIRE=2099-01-01T00:00:00Z;URLAUTH=user+bob" INTERNAL',
  'URLFETCH ("imap://alice%40example.test@mail.example.test/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:0123456789abcdef0123456789abcdef" BINARY BODYPARTSTRUCTURE)',
  'NOTIFY SET STATUS (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge FlagChange)) (subtree (a b) (MessageNew MessageExpunge MailboxName)) (personal NONE)',
  'APPEND INBOX (\\Seen) "17-Jul-1996 02:44:25 -0700" CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER" TEXT {3+}\r\nabc UTF8 (~{3+}\r\nabc))',
  'UID REPLACE 1 INBOX (\\Draft) {3+}\r\nabc',
  'UIDBATCHES 5 1:3',
  'COMPARATOR "i;*" default',
  'LANGUAGE de-CH "*"',
  'XLIST "" "*"',
  'UID SEARCH RETURN (SAVE COUNT) UIDAFTER 1 UIDBEFORE 9 TEXT "x"',
  'UID FETCH 1:* (PREVIEW (LAZY) FLAGS) (CHANGEDSINCE 1)',
]

const change = fc.record({
  at: fc.nat(400),
  kind: fc.constantFrom('drop', 'double', 'insert'),
  text: fc.constantFrom(
    ' ',
    '(',
    ')',
    '"',
    '\\',
    '{',
    '}',
    ';',
    '/',
    '%',
    '=',
    '*',
    ':',
    '0',
    '~',
    '[',
    ']',
    '\xff',
    'NIL',
    '99999999999999999999',
  ),
})

test('commands of the extensions with slips in them are no fault of the server', async t => {
  const server = await startImap(t)
  const other = await server.client()
  await other.append('INBOX', message('one'))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom(...right), fc.array(change, { minLength: 1, maxLength: 3 })), {
        minLength: 20,
        maxLength: 20,
      }),
      async commands => {
        const client = await server.client()
        await client.ok('SELECT INBOX')
        for (const [command, changes] of commands) {
          let text = command
          for (const { at: position, kind, text: inserted } of changes) {
            const at = position % text.length
            if (kind === 'drop') text = text.slice(0, at) + text.slice(at + 1)
            else if (kind === 'double') text = text.slice(0, at) + text.slice(at - 3, at) + text.slice(at)
            else text = text.slice(0, at) + inserted + text.slice(at)
          }
          // A head that promises another size than what follows would make one command of two.
          if (/\{\d+\+?\}/.test(text) && !text.includes('{3+}\r\n')) continue
          if (/\{(?!3\+\}\r\n)/.test(text) || text.split('\r\n').length !== text.split('{3+}\r\n').length)
            continue
          // A literal that is cut short would take the next command for its rest.
          if (/\{3\+\}\r\n[^]{0,2}$/.test(text)) continue
          await say(client, text)
          await client.ok('NOOP')
        }
        client.end()
      },
    ),
    { numRuns: 40 },
  )
  assert.equal((await other.command('NOOP')).status, 'OK')
})
