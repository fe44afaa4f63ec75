// No password, token or text of a message appears in a log line, a metric or an error, whatever a client does with it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAccount } from '../../src/account/directory.ts'
import { openStore } from '../../src/store/open-store.ts'
import { startWriter } from '../../src/store/sqlite/start-writer.ts'
import { temporaryFolder } from '../store/fixture.ts'
import { type Protocol, type Servers, startAll } from './all-protocols.ts'

/** Parts of every secret that is sent here; none may be seen in any of its forms. */
const marks = ['c4n4ryRight', 'c4n4ryWrong', 'c4n4ryT0ken', 'c4n4ryB0dy']
const [right, wrong, token, body] = marks.map(mark => `${mark} with space`) as [
  string,
  string,
  string,
  string,
]

/** A mark as it is, and as any base64 or hex text around it would show it. */
const forms = marks.flatMap(mark => [
  mark,
  mark.toLowerCase(),
  Buffer.from(mark).toString('hex'),
  ...[0, 1, 2].map(shift => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(mark)]).toString('base64')
    return text.slice(4, -4)
  }),
])

function assertSilent(lines: readonly string[], where: string): void {
  for (const line of lines) {
    for (const form of forms) assert.ok(!line.includes(form), `${where} shows ${form}: ${line.slice(0, 400)}`)
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const plain = (name: string, secret: string) => base64(`\0${name}\0${secret}`)
const bearer = base64(`n,a=ann@example.org,\x01auth=Bearer ${token.replaceAll(' ', '')}\x01\x01`)
const letter = `From: x@example.com\r\nSubject: ${body}\r\nX-${body.replaceAll(' ', '-')}: 1\r\n\r\n${body}\r\n`

/** Each is one connection. What a server makes of it does not matter here. */
const imap = [
  `a LOGIN cy "${right}"\r\nb LOGOUT\r\n`,
  `a LOGIN cy "${wrong}"\r\nb LOGIN "${wrong}" x\r\nc LOGIN ${wrong}\r\nd LOGIN cy "${wrong}\r\ne LOGIN cy {${wrong.length}+}\r\n${wrong}\r\nf LOGOUT\r\n`,
  `${wrong} LOGIN cy x\r\n${wrong}\r\na ${wrong}\r\nb UID ${wrong}\r\nc LOGOUT\r\n`,
  `a AUTHENTICATE PLAIN ${plain('cy', right)}\r\nb LOGOUT\r\n`,
  `a AUTHENTICATE PLAIN ${plain('cy', wrong)}\r\nb AUTHENTICATE PLAIN ${plain(wrong, wrong)}\r\nc AUTHENTICATE PLAIN ${wrong}\r\nd AUTHENTICATE ${plain('cy', wrong)}\r\ne LOGOUT\r\n`,
  `a AUTHENTICATE LOGIN\r\n${base64('cy')}\r\n${base64(wrong)}\r\nb AUTHENTICATE PLAIN\r\n${wrong}\r\nc AUTHENTICATE OAUTHBEARER ${bearer}\r\nAQ==\r\nd AUTHENTICATE XOAUTH2 ${bearer}\r\nAQ==\r\ne LOGOUT\r\n`,
  `a LOGIN cy "${right}"\r\nb APPEND INBOX {${letter.length}+}\r\n${letter}\r\nc APPEND INBOX {${letter.length}+}\r\n${letter} junk\r\nd SELECT INBOX\r\ne FETCH 1 (BODY[] ENVELOPE BODY.PEEK[HEADER.FIELDS (${body})])\r\nf SEARCH BODY "${body}"\r\ng SEARCH CHARSET "${body}" ALL\r\nh CREATE "${body}/${'x'.repeat(2000)}"\r\ni ID ("name" "${body}" "bad)\r\nj LOGOUT\r\n`,
  `a LOGIN cy "${right}"\r\nb APPEND INBOX {${letter.length + 100}+}\r\n${letter}`,
]
const pop3 = [
  `USER cy\r\nPASS ${right}\r\nRETR 1\r\nTOP 1 5\r\nQUIT\r\n`,
  `USER cy\r\nPASS ${wrong}\r\nUSER ${wrong}\r\nPASS x\r\nPASS ${wrong}\r\n${wrong}\r\nAPOP cy ${wrong}\r\nAUTH PLAIN ${plain('cy', wrong)}\r\nAUTH PLAIN ${wrong}\r\nQUIT\r\n`,
  `AUTH PLAIN\r\n${wrong}\r\nAUTH LOGIN\r\n${base64(wrong)}\r\n${base64(wrong)}\r\nAUTH OAUTHBEARER ${bearer}\r\nAQ==\r\nQUIT\r\n`,
  `USER cy\r\nPASS ${wrong}${'x'.repeat(20_000)}\r\nQUIT\r\n`,
]
const envelope = 'MAIL FROM:<x@example.com>\r\nRCPT TO:<cy@example.org>\r\n'
const smtp = [
  `EHLO a\r\n${envelope}DATA\r\n${letter}.\r\nQUIT\r\n`,
  `EHLO a\r\n${envelope}DATA\r\n${letter}\n.\r\n.\r\nQUIT\r\n`,
  `EHLO a\r\n${envelope}BDAT ${letter.length} LAST\r\n${letter}QUIT\r\n`,
  `EHLO a\r\n${letter}QUIT\r\n`,
  `EHLO a\r\nMAIL FROM:<${wrong}@example.com>\r\nAUTH PLAIN ${plain('cy', wrong)}\r\nAUTH ${wrong}\r\nQUIT\r\n`,
  `EHLO a\r\n${envelope}DATA\r\n${letter}`,
]
const submission = [
  `EHLO a\r\nAUTH PLAIN ${plain('cy', right)}\r\nMAIL FROM:<cy@example.org>\r\nRCPT TO:<cy@example.org>\r\nDATA\r\n${letter}.\r\nQUIT\r\n`,
  `EHLO a\r\nAUTH PLAIN ${plain('cy', wrong)}\r\nAUTH PLAIN ${wrong}\r\nAUTH PLAIN\r\n${plain(wrong, wrong)}\r\nAUTH LOGIN\r\n${base64('cy')}\r\n${base64(wrong)}\r\nQUIT\r\n`,
  `EHLO a\r\nAUTH OAUTHBEARER ${bearer}\r\nAQ==\r\nAUTH XOAUTH2 ${bearer}\r\n\r\nAUTH SCRAM-SHA-256 ${base64(`n,,n=cy,r=${wrong.replaceAll(' ', '')}`)}\r\n${wrong}\r\nQUIT\r\n`,
]
const lmtp = [`LHLO a\r\n${envelope}DATA\r\n${letter}.\r\nQUIT\r\n`]

const sessions: readonly (readonly [Protocol, readonly string[]])[] = [
  ['imap', imap],
  ['pop3', pop3],
  ['smtp', smtp],
  ['submission', submission],
  ['lmtp', lmtp],
]

/** Runs every session to its end; all that the server said. */
async function runAll(servers: Servers): Promise<string[]> {
  const heard: string[] = []
  for (const [protocol, texts] of sessions) {
    for (const text of texts) {
      const peer = await servers.connect(protocol)
      peer.send(text)
      peer.socket.end()
      heard.push(await peer.rest())
    }
  }
  return heard
}

function recordingMetrics() {
  const recorded: string[] = []
  const record = (...values: unknown[]) => {
    recorded.push(JSON.stringify(values))
  }
  return { recorded, metrics: { count: record, gauge: record, observe: record } }
}

test('a canary password, token and message never reach the log or the metrics, in any protocol and by any error', async t => {
  const { recorded, metrics } = recordingMetrics()
  const servers = await startAll(t, { metrics, smtp: { authOnReceivingPort: true } })
  await createAccount(servers.directory, { address: 'cy@example.org', password: right })
  const heard = (await runAll(servers)).join('\n')
  // The sessions did what they were to do.
  assert.match(heard, /^a OK/m)
  assert.match(heard, /^\+OK/m)
  assert.match(heard, /^235/m)
  assert.match(heard, /APPENDUID/)
  assert.match(heard, /^250 2\.0\.0/m)
  assert.ok(servers.logged.length > 10, 'something was logged')
  assertSilent(servers.logged, 'the log')
  assertSilent(recorded, 'a metric')
})

test('the same while the store is gone: what fails then is logged without what it was about', async t => {
  const dataDir = temporaryFolder(t)
  const writer = await startWriter(dataDir)
  const store = await openStore({ dataDir, port: writer.connect() })
  t.after(() => store.close())
  const servers = await startAll(t, { store })
  await createAccount(servers.directory, { address: 'cy@example.org', password: right })
  // Each mutation fails from here on, each read still succeeds.
  await writer.close()
  const heard = (await runAll(servers)).join('\n')
  assert.match(heard, /^b NO \[UNAVAILABLE\]/m)
  assert.match(heard, /^4\d\d /m)
  assertSilent(servers.logged, 'the log')
  // No internals either: no stack, no path, no SQL.
  assert.doesNotMatch(heard, /\bat .*\.ts\b|node:|SELECT .* FROM|INSERT |sqlite|\/work\/|\/tmp\//i)
})
