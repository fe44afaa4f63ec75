import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseImapUrl } from '../../../src/imap/url/imap-url.ts'

test('URLs of messages and parts are read (RFC 5092 §7, RFC 4467 §3)', () => {
  const whole = parseImapUrl(
    'imap://joe;AUTH=*@Example.com:143/a%2Fb/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024;EXPIRE=2027-01-02T03:04:05Z;URLAUTH=submit+fred:internal:91354a473744909de610943775f92038',
  )
  assert.deepEqual(whole, {
    server: { user: 'joe', host: 'example.com' },
    mailbox: 'a/b/INBOX',
    isAbsolutePath: true,
    uidValidity: 385759045,
    uid: 20,
    section: '1.2',
    partial: { offset: 0, count: 1024 },
    authorization: {
      access: { kind: 'submit', name: 'fred' },
      expiresAt: Date.UTC(2027, 0, 2, 3, 4, 5),
      rump: 'imap://joe;AUTH=*@Example.com:143/a%2Fb/INBOX;UIDVALIDITY=385759045/;UID=20/;SECTION=1.2/;PARTIAL=0.1024;EXPIRE=2027-01-02T03:04:05Z;URLAUTH=submit+fred',
      mechanism: 'INTERNAL',
      token: '91354a473744909de610943775f92038',
    },
  })
  assert.equal(parseImapUrl(';UID=7')?.mailbox, undefined)
  assert.equal(parseImapUrl('/;UID=7')?.mailbox, undefined)
  assert.equal(parseImapUrl('/Drafts/;uid=7/;section=header')?.section, 'header')
  assert.equal(parseImapUrl('Drafts/;UID=7')?.isAbsolutePath, false)
  assert.equal(parseImapUrl('/x/;UID=7/;PARTIAL=9')?.partial?.count, undefined)
})

test('what is no URL of a message is refused', () => {
  for (const url of [
    '',
    '/',
    '/INBOX',
    'INBOX;UID=7',
    '/INBOX/;UID=0',
    '/INBOX/;UID=4294967296',
    '/INBOX/;UID=1;UIDVALIDITY=3',
    '/INBOX;UIDVALIDITY=0/;UID=1',
    '/INBOX;UIDVALIDITY=x/;UID=1',
    '/INBOX/;UID=1/;SECTION=',
    '/INBOX/;UID=1/;PARTIAL=1.0',
    '/INBOX/;UID=1/;PARTIAL=1.2.3',
    '/INBOX/;UID=1/;PARTIAL=1/;SECTION=1',
    '/INBOX/;UID=1/;SECTION=1/;SECTION=2',
    '/INBOX/;UID=1/;OTHER=1',
    '/%2/;UID=1',
    '/%ff/;UID=1',
    '/%00/;UID=1',
    '/IN BOX/;UID=1',
    'pop://x@y/INBOX/;UID=1',
    'imap:///INBOX/;UID=1',
    'imap://@host/INBOX/;UID=1',
    'imap://host',
    '/INBOX/;UID=1;EXPIRE=2027-01-02T03:04:05Z',
    '/INBOX/;UID=1;EXPIRE=2027-13-02T03:04:05Z;URLAUTH=anonymous',
    '/INBOX/;UID=1;EXPIRE=tomorrow;URLAUTH=anonymous',
    '/INBOX/;UID=1;URLAUTH=',
    '/INBOX/;UID=1;URLAUTH=everyone',
    '/INBOX/;UID=1;URLAUTH=user+',
    '/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL',
    '/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:zz',
    '/INBOX/;UID=1;URLAUTH=anonymous:INTERNAL:91354a473744909de610943775f92038:more',
  ])
    assert.equal(parseImapUrl(url), undefined, url)
})

test('any text is read or refused, never thrown at', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc
          .array(
            fc.constantFrom(
              'imap://',
              'a@b',
              '/',
              ';UID=',
              ';UIDVALIDITY=',
              '/;SECTION=',
              '/;PARTIAL=',
              ';EXPIRE=',
              ';URLAUTH=',
              '1',
              '.',
              ':',
              '%41',
              '%',
              'anonymous',
              'user+x',
              'INBOX',
            ),
            { maxLength: 12 },
          )
          .map(pieces => pieces.join('')),
      ),
      text => {
        const url = parseImapUrl(text)
        if (url) assert.ok(url.uid > 0)
      },
    ),
    { numRuns: 3000 },
  )
})
