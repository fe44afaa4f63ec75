// STARTTLS and STLS: nothing that was said in the clear counts afterwards. CVE-2011-0411, CVE-2021-33515, CVE-2021-38542; RFC 3207 §4.2; RFC 2595 §4; RFC 9051 §6.2.1.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { password, type Protocol, startAll } from './all-protocols.ts'

const plain = Buffer.from(`\0ann\0${password}`).toString('base64')

interface Injection {
  readonly protocol: Protocol
  /** Said and answered before. */
  readonly before?: readonly (readonly [string, RegExp])[]
  readonly starttls: string
  readonly ready: RegExp
  /** In the same packet as STARTTLS. */
  readonly injected: string
  /** The first command under TLS, all of its answer, and what must not be in it. */
  readonly first: string
  readonly answer: RegExp
}

const cases: readonly Injection[] = [
  {
    protocol: 'imap',
    starttls: 'a STARTTLS',
    ready: /^a OK.*\r\n$/m,
    injected: `b LOGIN ann "${password}"\r\nc NOOP\r\nd `,
    first: 'e SELECT INBOX',
    answer: /^e BAD log in first\r\n$/,
  },
  {
    protocol: 'pop3',
    before: [['USER ann', /^\+OK.*\r\n$/]],
    starttls: 'STLS',
    ready: /^\+OK.*\r\n$/,
    injected: `USER ann\r\nPASS ${password}\r\nUSER ann\r\n`,
    first: `PASS ${password}`,
    answer: /^-ERR [^\r]*\r\n$/,
  },
  {
    protocol: 'smtp',
    before: [['EHLO client.example', /^250 .*\r\n$/m]],
    starttls: 'STARTTLS',
    ready: /^220 .*\r\n$/,
    injected:
      'EHLO evil.example\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nhello\r\n.\r\nRSET\r\nNO',
    first: 'MAIL FROM:<a@example.com>',
    answer: /^503 [^\r]*\r\n$/,
  },
  {
    protocol: 'submission',
    before: [
      ['EHLO client.example', /^250 .*\r\n$/m],
      [`AUTH PLAIN ${plain}`, /^235.*\r\n$/],
    ],
    starttls: 'STARTTLS',
    ready: /^220 .*\r\n$/,
    injected: `EHLO evil.example\r\nAUTH PLAIN ${plain}\r\nMAIL FROM:<ann@example.org>\r\nEHLO x`,
    first: 'EHLO again.example\r\nMAIL FROM:<ann@example.org>',
    answer: /^250 [^\r]*\r\n530 [^\r]*\r\n$/m,
  },
  {
    protocol: 'lmtp',
    before: [['LHLO client.example', /^250 .*\r\n$/m]],
    starttls: 'STARTTLS',
    ready: /^220 .*\r\n$/,
    injected: 'LHLO evil.example\r\nMAIL FROM:<evil@example.com>\r\n',
    first: 'RCPT TO:<ann@example.org>',
    answer: /^503 [^\r]*\r\n$/,
  },
]

for (const { protocol, before, starttls, ready, injected, first, answer } of cases) {
  test(`${protocol}: what is pipelined behind ${starttls.split(' ').pop()} is dropped, with all that was learnt before`, async t => {
    const servers = await startAll(t)
    const peer = await servers.connect(protocol)
    for (const [line, expected] of before ?? []) await peer.ask(line, expected)
    peer.send(`${starttls}\r\n${injected}`)
    const said = await peer.until(ready)
    assert.equal(said.split('\r\n').length, 2, `one answer only: ${said}`)
    await peer.startTls()
    const heard = await peer.ask(first, answer)
    assert.match(heard, answer)
    assert.equal(peer.heard, '')
  })
}

test('TLS cannot be begun twice, and is still on after the attempt', async t => {
  const servers = await startAll(t)
  const attempts: readonly (readonly [Protocol, string, string, RegExp])[] = [
    ['imap', '', 'a STARTTLS', /^a BAD.*\r\n$/m],
    ['pop3', '', 'STLS', /^-ERR.*\r\n$/m],
    ['smtp', 'EHLO a.example', 'STARTTLS', /^503.*\r\n$/m],
    ['submission', 'EHLO a.example', 'STARTTLS', /^503.*\r\n$/m],
    ['lmtp', 'LHLO a.example', 'STARTTLS', /^503.*\r\n$/m],
  ]
  for (const [protocol, hello, starttls, refused] of attempts) {
    const peer = await servers.connect(protocol)
    if (hello !== '') await peer.ask(hello, /^250 .*\r\n$/m)
    await peer.ask(starttls, /^(?:a OK|\+OK|220).*\r\n$/m)
    await peer.startTls()
    if (hello !== '') await peer.ask(hello, /^250 .*\r\n$/m)
    assert.match(await peer.ask(starttls, /\r\n$/), refused, protocol)
  }
})
