// One client's hostile messages and commands, and what the others feel of them: how long the event loop stands still, and whether everything is answered.
// CVE-2025-59028, CVE-2020-12100, CVE-2026-26312, CVE-2026-27859, CVE-2021-40110, CVE-2024-45626.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { summarize } from '../../src/message/summary.ts'
import { noFlags } from '../../src/store/flags.ts'
import { findMailbox } from '../../src/store/read/mailboxes.ts'
import { goesOn, type Peer, type Servers, startAll } from './all-protocols.ts'

/** The machine of the tests is shared; each of these took seconds, or minutes, where somebody got it wrong. */
const boundMs = 3000

/** Runs `work` while another client is served; how long nobody was, at most. */
async function longestStop(other: Peer, work: () => Promise<void>): Promise<number> {
  let longestMs = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last)
    last = now
  }, 1)
  try {
    await work()
    await goesOn(other, 'imap')
  } finally {
    clearInterval(timer)
  }
  return longestMs
}

async function open(t: TestContext): Promise<{ servers: Servers; peer: Peer; other: Peer }> {
  const servers = await startAll(t, { place: 'disk' })
  return { servers, peer: await servers.enter('imap'), other: await servers.enter('imap', 'bob') }
}

const head = 'From: a@example.com\r\nSubject: x\r\n'
const lines = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => line(i)).join('')

/** Messages of up to a few megabytes that cost a naive server a multiple of their size. */
const messages: Readonly<Record<string, string>> = {
  'a header of 40,000 fields': `${head}${lines(40_000, i => `X-${i % 50}: ${i}\r\n`)}\r\nHello\r\n`,
  'a field of 1 MB of encoded words': `${head}X-0: ${lines(40_000, () => '=?utf-8?Q?=61?=\r\n ')}x\r\n\r\nHello\r\n`,
  'a million commas in To': `${head}To: ${','.repeat(1_000_000)}\r\n\r\nHello\r\n`,
  '100,000 addresses in nested groups': `${head}To: ${lines(100_000, i => `g${i}: a${i}@example.com, `)};\r\n\r\nHello\r\n`,
  '100,000 open comments': `${head}To: ${'('.repeat(100_000)}\r\nDate: ${'('.repeat(100_000)}\r\nContent-Type: text/plain${'('.repeat(100_000)}\r\n\r\nHello\r\n`,
  '100,000 parameters': `${head}Content-Type: text/plain${lines(100_000, i => `; p${i}*${i}*=utf-8''x`)}\r\n\r\nHello\r\n`,
  '100,000 parts': `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\nx\r\n'.repeat(100_000)}--b--\r\n`,
  'parts nested 10,000 deep': `${head}${lines(10_000, i => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`)}x\r\n`,
  'messages nested 100,000 deep': `${head}${'Content-Type: message/rfc822\r\n\r\n'.repeat(100_000)}x\r\n`,
  'a million lines that could be boundaries': `${head}Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--a\r\n'.repeat(1_000_000)}`,
  'megabytes of open tags': `${head}Content-Type: text/html\r\n\r\n${'<'.repeat(2_000_000)}`,
  'megabytes of open entities': `${head}Content-Type: text/html\r\n\r\n${'&amp'.repeat(500_000)}`,
  'megabytes of open comments in HTML': `${head}Content-Type: text/html\r\n\r\n${'<!--<style><script>'.repeat(100_000)}`,
  'megabytes of soft line breaks': `${head}Content-Type: text/html; charset=iso-2022-jp\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${'=41=\r\n'.repeat(400_000)}`,
  'a million references': `${head}References: ${'<a@b> '.repeat(170_000)}\r\n\r\nHello\r\n`,
}

test('a message made to be costly is taken, described and searched without the others being held up', async t => {
  const { peer, other } = await open(t)
  await peer.ask('s SELECT INBOX', /^s OK.*\r\n$/m)
  let number = 0
  for (const [what, message] of Object.entries(messages)) {
    number++
    const stopMs = await longestStop(other, async () => {
      await peer.ask(`a APPEND INBOX {${message.length}+}\r\n${message}`, /^a OK.*\r\n$/m)
      await peer.ask(
        `b FETCH ${number} (ENVELOPE BODYSTRUCTURE PREVIEW BODY.PEEK[HEADER.FIELDS (To X-0)] BODY.PEEK[1]<0.10>)`,
        /^b OK.*\r\n$/m,
      )
      await peer.ask(`c SEARCH ${number} OR TEXT nothing OR FROM nothing TO nothing`, /^c OK.*\r\n$/m)
    })
    assert.ok(stopMs < boundMs, `${what}: ${Math.round(stopMs)} ms`)
  }
})

test('the same messages arrive by SMTP and leave by POP3 without the others being held up', async t => {
  const { servers, other } = await open(t)
  const sender = await servers.enter('smtp')
  for (const [what, message] of Object.entries(messages)) {
    const stopMs = await longestStop(other, async () => {
      await sender.ask('MAIL FROM:<a@example.com>\r\nRCPT TO:<ann@example.org>\r\nDATA', /^354.*\r\n$/m)
      await sender.ask(`${message.replace(/\r\n$/, '')}\r\n.`, /^(?:250|5\d\d).*\r\n$/m)
    })
    assert.ok(stopMs < boundMs, `${what}: ${Math.round(stopMs)} ms`)
  }
  const reader = await servers.enter('pop3')
  const stopMs = await longestStop(other, async () => {
    await reader.ask('TOP 1 1000', /\r\n\.\r\n$/)
    await reader.ask('UIDL', /\r\n\.\r\n$/)
  })
  assert.ok(stopMs < boundMs, `${Math.round(stopMs)} ms`)
})

test('thousands of keys over a large header and a large text are asked in turns', async t => {
  const { peer, other } = await open(t)
  await peer.ask('s SELECT INBOX', /^s OK.*\r\n$/m)
  const header = messages['a header of 40,000 fields'] as string
  const text = `${head}\r\n${'All work and no play\r\n'.repeat(100_000)}`
  for (const message of [header, text]) {
    await peer.ask(`a APPEND INBOX {${message.length}+}\r\n${message}`, /^a OK.*\r\n$/m)
  }
  const commands = [
    lines(2000, i => ` NOT HEADER X-${i} none${i}`),
    lines(2000, i => ` NOT SUBJECT none${i}`),
    lines(1000, i => ` OR TEXT none${i}`) + ' ALL',
    lines(2000, i => ` NOT KEYWORD none${i}`),
  ]
  for (const command of commands) {
    const stopMs = await longestStop(other, async () => {
      assert.match(await peer.ask(`b SEARCH${command}`, /^b .*\r\n$/m), /^b OK/m)
    })
    assert.ok(stopMs < boundMs, `${command.slice(0, 30)}: ${Math.round(stopMs)} ms`)
  }
})

test('what asks for one large part a hundred times reads and decodes it once', async t => {
  const { peer, other } = await open(t)
  await peer.ask('s SELECT INBOX', /^s OK.*\r\n$/m)
  const encoded = Buffer.alloc(6_000_000, 'abc').toString('base64').replace(/.{76}/g, '$&\r\n')
  const message = `${head}Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n${encoded}\r\n`
  await peer.ask(`a APPEND INBOX {${message.length}+}\r\n${message}`, /^a OK.*\r\n$/m)
  const startMs = performance.now()
  const items = lines(200, i => ` BINARY.PEEK[1]<${i}.1>`).trim()
  const stopMs = await longestStop(other, async () => {
    await peer.ask(`b FETCH 1 (${items})`, /^b OK.*\r\n$/m)
  })
  assert.ok(stopMs < boundMs, `${Math.round(stopMs)} ms`)
  const totalMs = performance.now() - startMs
  assert.ok(totalMs < 3000, `${Math.round(totalMs)} ms for 200 bytes`)
})

test('commands over 10,000 messages let the others run', async t => {
  const { servers, peer, other } = await open(t)
  const { store, ann } = servers
  const inbox = await findMailbox(store.reader, ann, 'INBOX')
  assert.ok(inbox)
  const bytes = Buffer.from(`${head}\r\nHello\r\n`)
  const message = { body: store.bodyOf(bytes), email: summarize(bytes), flags: noFlags }
  for (let count = 0; count < 10; count++) {
    await store.mutate('appendMessages', {
      account: ann,
      mailbox: inbox.id,
      messages: Array(1000).fill(message),
    })
  }
  const odd = Array.from({ length: 5000 }, (_, i) => 2 * i + 1).join(',')
  const commands = [
    'SELECT INBOX',
    'FETCH 1:* ALL',
    'STORE 1:* +FLAGS (\\Flagged kw)',
    `STORE ${odd} -FLAGS.SILENT (\\Flagged)`,
    `FETCH ${odd} FLAGS`,
    'SEARCH NOT TEXT nothing',
    'SEARCH RETURN (MIN MAX COUNT ALL) OR UNSEEN OR SEEN OR FLAGGED DELETED',
    'COPY 1:* Trash',
    'STORE 1:* +FLAGS.SILENT (\\Deleted)',
    'EXPUNGE',
  ]
  for (const command of commands) {
    const stopMs = await longestStop(other, async () => {
      assert.match(await peer.ask(`b ${command}`, /^b .*\r\n$/m), /^b OK/m, command.slice(0, 40))
    })
    assert.ok(stopMs < boundMs, `${command.slice(0, 40)}: ${Math.round(stopMs)} ms`)
  }
})

test('LIST with patterns made to be slow, over long names, lets the others run', async t => {
  const { peer, other } = await open(t)
  const name = 'a'.repeat(900)
  for (let count = 0; count < 100; count++) await peer.ask(`c CREATE ${name}${count}`, /^c OK.*\r\n$/m)
  for (const command of ['LIST', 'LSUB', 'XLIST']) {
    const stopMs = await longestStop(other, async () => {
      assert.match(await peer.ask(`a ${command} "" "${'*a'.repeat(900)}b"`, /^a .*\r\n$/m), /^a OK/)
      assert.match(
        await peer.ask(`b ${command} "" "${'*a'.repeat(30_000)}"`, /^b .*\r\n$/m),
        /^b NO \[LIMIT\]/,
      )
    })
    assert.ok(stopMs < boundMs, `${command}: ${Math.round(stopMs)} ms`)
  }
  const many = lines(5000, i => ` "*x${i}*"`).trim()
  assert.match(await peer.ask(`d LIST "" (${many})`, /^d .*\r\n$/m), /^d NO \[LIMIT\]/)
  const exact = lines(2000, i => ` "${'x'.repeat(20)}${i}"`).trim()
  assert.match(await peer.ask(`e LIST "" (INBOX Sent ${exact})`, /^e .*\r\n$/m), /INBOX[^]*Sent[^]*e OK/)
})
