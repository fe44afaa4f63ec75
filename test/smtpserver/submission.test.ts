import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAppPassword } from '../../src/account/app-password.ts'
import { createAlias, updateAccount } from '../../src/account/directory.ts'
import { limits } from '../../src/base/limits.ts'
import { listQueue } from '../../src/store/read/queue.ts'
import { codeOf, openServer, password, plainResponse, type Client, type TestServer } from './smtp-server.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

async function loggedIn(server: TestServer, user = 'ann@example.org'): Promise<Client> {
  const client = await server.client('submission')
  await client.say('EHLO laptop')
  assert.equal(codeOf(await client.say(`AUTH PLAIN ${plainResponse(user, password)}`)), '235 2.7.0')
  return client
}

test('nothing is taken before a log-in (RFC 6409 §4.3)', async t => {
  const server = await openServer(t)
  const client = await server.client('submission')
  assert.deepEqual(
    await client.codes('EHLO x', 'MAIL FROM:<ann@example.org>', 'RCPT TO:<bob@example.org>', 'DATA'),
    ['250', '530 5.7.0', '503 5.5.1', '503 5.5.1'],
  )
})

test('log-in works with and without an initial response, and by several mechanisms', async t => {
  const server = await openServer(t)
  const first = await server.client('submission')
  assert.deepEqual(await first.codes('EHLO x', 'AUTH PLAIN', plainResponse('ann', password)), [
    '250',
    '334',
    '235 2.7.0',
  ])
  assert.deepEqual(await first.codes('AUTH PLAIN', 'EHLO x', 'AUTH PLAIN x'), [
    '503 5.5.1',
    '250',
    '503 5.5.1',
  ])
  const second = await server.client('submission')
  assert.deepEqual(await second.codes('EHLO x', 'AUTH LOGIN', base64('ann'), base64(password)), [
    '250',
    '334',
    '334',
    '235 2.7.0',
  ])
  assert.doesNotMatch(await second.say('EHLO x'), /AUTH/)
})

test('failed log-ins say why in codes (RFC 4954 §6), and too many end the session', async t => {
  const server = await openServer(t)
  const client = await server.client('submission')
  assert.deepEqual(
    await client.codes(
      'AUTH PLAIN x',
      'EHLO x',
      'AUTH',
      'AUTH FOO',
      'AUTH PLAIN !!!!',
      'AUTH PLAIN',
      '*',
      'AUTH PLAIN',
      'not base64',
    ),
    ['503 5.5.1', '250', '501 5.5.4', '504 5.5.4', '501 5.5.2', '334', '501 5.7.0', '334', '501 5.5.2'],
  )
  const wrong = plainResponse('ann', 'wrong')
  for (let i = 1; i < limits.smtp.authFailures; i++)
    assert.equal(codeOf(await client.say(`AUTH PLAIN ${wrong}`)), '535 5.7.8')
  assert.equal(codeOf(await client.say(`AUTH PLAIN ${wrong}`)), '421 4.7.0')
  assert.equal(await client.rest(), '')
})

test('a SASL response may have so many bytes and not one more', async t => {
  const server = await openServer(t)
  const client = await server.client('submission')
  await client.codes('EHLO x', 'AUTH PLAIN')
  client.send(`${'A'.repeat(limits.smtp.authLineBytes + 1)}\r\nNOOP\r\n`)
  assert.equal(codeOf(await client.reply()), '500 5.5.6')
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
})

test('a disabled account and a password for other services do not send', async t => {
  const server = await openServer(t)
  const app = await createAppPassword(server.directory, server.ann, { name: 'reader', scopes: ['imap'] })
  const client = await server.client('submission')
  await client.say('EHLO x')
  assert.equal(codeOf(await client.say(`AUTH PLAIN ${plainResponse('ann', app)}`)), '535 5.7.8')
  await updateAccount(server.directory, { account: server.ann, state: 'disabled' })
  assert.match(
    codeOf(await client.say(`AUTH PLAIN ${plainResponse('ann', password)}`)),
    /^5(?:35 5\.7\.8|25 5\.7\.13)$/,
  )
})

test('a user sends under addresses whose mail comes to the account, unless any are allowed', async t => {
  const server = await openServer(t)
  await createAlias(server.directory, 'sales@example.org', ['ann@example.org', 'bob@example.org'])
  const client = await loggedIn(server)
  for (const from of ['ann@example.org', 'Ann+shop@example.org', 'sales@example.org', ''])
    assert.deepEqual(await client.codes(`MAIL FROM:<${from}>`, 'RSET'), ['250 2.1.0', '250 2.0.0'], from)
  for (const from of ['bob@example.org', 'ann@example.net', 'nobody@example.org'])
    assert.equal(codeOf(await client.say(`MAIL FROM:<${from}>`)), '550 5.7.1', from)
  const free = await loggedIn(await openServer(t, { smtp: { sender: 'any' } }))
  assert.equal(codeOf(await free.say('MAIL FROM:<ann@example.net>')), '250 2.1.0')
})

test('local recipients get it at once and the others through the queue, in one transaction', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  assert.equal(
    codeOf(
      await client.deliver(
        'Subject: x\r\n\r\nx',
        'ann@example.org',
        'bob@example.org',
        'eve@example.net',
        'ian@example.com',
      ),
    ),
    '250 2.0.0',
  )
  assert.equal((await server.messages(server.bob)).length, 1)
  const [queued, ...more] = await listQueue(server.store.reader)
  assert.equal(more.length, 0)
  assert.equal(queued?.submitter, server.ann)
  assert.deepEqual(
    queued?.recipients.map(({ domain }) => domain),
    ['example.net', 'example.com'],
  )
})

test('Date, Message-ID and From are added when they are missing, and Bcc goes (RFC 6409 §8)', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  await client.deliver(
    'Bcc: secret@example.net,\r\n\tother@example.net\r\nSubject: x\r\nResent-Bcc: a@b\r\nReturn-Path: <evil@x>\r\nBCC : again@example.net\r\n\r\nBcc: in the body',
    'ann@example.org',
    'bob@example.org',
  )
  const [message = ''] = await server.messages(server.bob)
  assert.match(
    message,
    /^Return-Path: <ann@example\.org>\r\nReceived: by mx\.example\.org with ESMTPA\r\n\tid [^\r]+\r\n\tfor <bob@example\.org>;\r\n[^\r]+\r\nDate: [^\r]+ \+0000\r\nMessage-ID: <[0-9a-z.]+@mx\.example\.org>\r\nFrom: <ann@example\.org>\r\nSubject: x\r\n\r\nBcc: in the body\r\n$/,
  )
  await client.deliver(
    'From: Ann <ann@example.org>\r\nDATE: Mon, 1 Jan 2024 00:00:00 +0000\r\nmessage-id: <a@b>\r\n\r\nx',
    'ann@example.org',
    'bob@example.org',
  )
  assert.match(
    (await server.messages(server.bob))[1] ?? '',
    /\+0000\r\nFrom: Ann <ann@example\.org>\r\nDATE: Mon, 1 Jan 2024 00:00:00 \+0000\r\nmessage-id: <a@b>\r\n\r\nx\r\n$/,
  )
})

test('a message without a header, or without a body, is mended', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  for (const content of [
    'hello there',
    '',
    '\r\nbody',
    'Subject: only',
    'Subject: x\r\nno field\r\n\r\nBcc: x',
  ])
    assert.equal(codeOf(await client.deliver(content, 'ann@example.org', 'bob@example.org')), '250 2.0.0')
  const ends = (await server.messages(server.bob)).map(message => message.slice(message.indexOf('From: ')))
  const from = 'From: <ann@example.org>\r\n'
  assert.deepEqual(ends, [
    `${from}\r\nhello there\r\n`,
    `${from}\r\n`,
    `${from}\r\nbody\r\n`,
    `${from}Subject: only\r\n\r\n`,
    `${from}Subject: x\r\n\r\nno field\r\n\r\nBcc: x\r\n`,
  ])
})

test('bare LF and CR are mended in submission, and end nothing', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  await client.deliver('Subject: x\nBcc: y\n\nline\n.\nnext\rlast', 'ann@example.org', 'bob@example.org')
  assert.match(
    (await server.messages(server.bob))[0] ?? '',
    /Subject: x\r\n\r\nline\r\n\.\r\nnext\r\nlast\r\n$/,
  )
})

test('a header in pieces is mended like a whole one, and one that never ends is refused', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  await client.codes('MAIL FROM:<ann@example.org>', 'RCPT TO:<bob@example.org>', 'DATA')
  for (const byte of 'Subject: x\r\nBcc: y\r\n\r\nx\r\n.\r\n') {
    client.send(byte)
    await new Promise(setImmediate)
  }
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  assert.match((await server.messages(server.bob))[0] ?? '', /Subject: x\r\n\r\nx\r\n$/)
  await client.codes('MAIL FROM:<ann@example.org>', 'RCPT TO:<bob@example.org>', 'DATA')
  client.send(`${'X-Filler: y\r\n'.repeat(limits.message.headerBytes / 13 + 1)}\r\nx\r\n.\r\n`)
  assert.equal(codeOf(await client.reply()), '552 5.3.4')
})

test('who submits is not shown by address, unless that is configured', async t => {
  const shown = await openServer(t, { smtp: { showSubmitter: true } })
  await (await loggedIn(shown)).deliver('\r\nx', 'ann@example.org', 'bob@example.org')
  assert.match((await shown.messages(shown.bob))[0] ?? '', /Received: from laptop \(\[127\.0\.0\.1\]\)/)
})

test('after STARTTLS the log-in is made again, and Received says ESMTPSA', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  await client.startTls()
  assert.deepEqual(await client.codes('EHLO x', 'MAIL FROM:<ann@example.org>'), ['250', '530 5.7.0'])
  await client.say(`AUTH PLAIN ${plainResponse('ann', password)}`)
  await client.deliver('\r\nx', 'ann@example.org', 'bob@example.org')
  assert.match((await server.messages(server.bob))[0] ?? '', / with ESMTPSA \(TLSv1\.3 /)
})

test('each field of an envelope or header that carries CR, LF or NUL is refused or harmless (CVE-2024-21742)', async t => {
  const server = await openServer(t)
  const client = await loggedIn(server)
  for (const line of [
    'MAIL FROM:<ann@example.org\0>',
    'MAIL FROM:<ann@example.org> ENVID=a+0D+0ARCPT',
    'MAIL FROM:<ann@example.org> AUTH=a+0Ab',
  ])
    assert.match(codeOf(await client.say(line)), /^50[01] 5\.5\.[24]$/, line)
  await client.say('MAIL FROM:<ann@example.org>')
  for (const line of [
    'RCPT TO:<"a\0b"@example.net>',
    'RCPT TO:<eve@example.net> ORCPT=rfc822;a+0D+0Ab',
    'RCPT TO:<"a\\\x0ab"@example.net>',
  ])
    assert.match(codeOf(await client.say(line)), /^50[01] 5\.5\.[24]$/, line)
})
