import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { createAlias } from '../../src/account/directory.ts'
import { openStore } from '../../src/store/open-store.ts'
import { listQueue } from '../../src/store/read/queue.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { Client, codeOf, openServer, plainResponse } from './smtp-server.ts'

test('a message that was acknowledged is in the mailbox, with its trace fields', async t => {
  const server = await openServer(t)
  const client = await server.client()
  assert.match(await client.say('EHLO client.example'), /^250-mx\.example\.org\n250-PIPELINING\n/)
  assert.equal(
    codeOf(
      await client.deliver('Subject: hello\r\n\r\nfirst\r\n..dot', 'eve@example.net', 'ann@example.org'),
    ),
    '250 2.0.0',
  )
  const [message = ''] = await server.messages(server.ann)
  assert.match(
    message,
    /^Return-Path: <eve@example\.net>\r\nReceived: from client\.example \(\[127\.0\.0\.1\]\)\r\n\tby mx\.example\.org with ESMTP\r\n\tid [0-9a-f]{8}\.1\r\n\tfor <ann@example\.org>;\r\n\t[^\r]+ \+0000\r\nSubject: hello\r\n\r\nfirst\r\n\.dot\r\n$/,
  )
})

test('EHLO announces every extension, and AUTH only where it may be used', async t => {
  const server = await openServer(t)
  const lines = (await (await server.client()).say('EHLO x')).split('\n').map(line => line.slice(4))
  assert.deepEqual(lines.slice(1), [
    'PIPELINING',
    `SIZE ${50 * 1024 * 1024}`,
    '8BITMIME',
    'SMTPUTF8',
    'CHUNKING',
    'BINARYMIME',
    'DSN',
    'ENHANCEDSTATUSCODES',
    'STARTTLS',
  ])
  assert.match(await (await server.client('submission')).say('EHLO x'), /\n250 AUTH .*PLAIN/)
})

test('replies to pipelined commands leave in one write, in order (RFC 2920)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  client.chunks = []
  client.send(
    'MAIL FROM:<a@b>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<nobody@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n',
  )
  const codes: string[] = []
  for (let i = 0; i < 5; i++) codes.push(codeOf(await client.reply()))
  assert.deepEqual(codes, ['250 2.1.0', '250 2.1.5', '550 5.1.1', '250 2.1.5', '354'])
  assert.ok(client.chunks.length <= 2, `${client.chunks.length} writes`)
  client.send('x\r\n.\r\nRSET\r\nNOOP\r\n')
  assert.deepEqual(
    [codeOf(await client.reply()), codeOf(await client.reply()), codeOf(await client.reply())],
    ['250 2.0.0', '250 2.0.0', '250 2.0.0'],
  )
  assert.equal((await server.messages(server.bob)).length, 1)
})

test('the session has an order (RFC 5321 §4.1.4)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  assert.deepEqual(await client.codes('MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA'), [
    '503 5.5.1',
    '503 5.5.1',
    '503 5.5.1',
  ])
  assert.deepEqual(await client.codes('HELO x', 'RCPT TO:<ann@example.org>', 'DATA', 'MAIL FROM:<a@b>'), [
    '250',
    '503 5.5.1',
    '503 5.5.1',
    '250 2.1.0',
  ])
  assert.deepEqual(
    await client.codes('MAIL FROM:<a@b>', 'DATA', 'RSET', 'MAIL FROM:<>', 'EHLO x', 'MAIL FROM:<>'),
    ['503 5.5.1', '554 5.5.1', '250 2.0.0', '250 2.1.0', '250', '250 2.1.0'],
  )
})

test('HELO makes no ESMTP of it: the protocol keyword is SMTP', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('HELO old.example')
  await client.deliver('\r\nx', '', 'ann@example.org')
  assert.match(
    (await server.messages(server.ann))[0] ?? '',
    /^Return-Path: <>\r\nReceived: .*\r\n\tby mx\.example\.org with SMTP\r\n/,
  )
})

test('commands are refused that are malformed, unknown or not for this service', async t => {
  const server = await openServer(t)
  const client = await server.client()
  assert.deepEqual(
    await client.codes(
      '',
      'FOO',
      'EHLO',
      'LHLO x',
      'EHLO x',
      'MAIL FROM:a@b',
      'MAIL a@b',
      'MAIL FROM:<a@b> FOO=1',
    ),
    ['500 5.5.1', '500 5.5.1', '501 5.5.4', '500 5.5.1', '250', '501 5.5.4', '501 5.5.4', '555 5.5.4'],
  )
  assert.deepEqual(
    await client.codes('NOOP', 'MAIL FROM:<a@b> SIZE=x', 'RSET x', 'VRFY', 'EXPN list', 'VRFY ann', 'HELP'),
    ['250 2.0.0', '501 5.5.4', '501 5.5.4', '501 5.5.4', '550 5.7.1', '252 2.5.0', '214 2.0.0'],
  )
})

test('VRFY and RCPT do not tell names apart but by delivering', async t => {
  const server = await openServer(t)
  const client = await server.client()
  assert.equal(await client.say('VRFY ann@example.org'), await client.say('VRFY nobody@example.org'))
})

test('nobody may relay without a log-in (open relay)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  await client.say('MAIL FROM:<ann@example.org>')
  for (const to of [
    'eve@example.net',
    'eve%example.net@example.com',
    '@example.org:eve@example.net',
    '"eve@example.net"@example.com',
    'ann@[127.0.0.1]',
  ])
    assert.equal(codeOf(await client.say(`RCPT TO:<${to}>`)), '550 5.7.1', to)
  for (const to of ['eve%example.net@example.org', '"eve@example.net"@example.org', 'eve!x@example.org'])
    assert.equal(codeOf(await client.say(`RCPT TO:<${to}>`)), '550 5.1.1', to)
  assert.deepEqual(await listQueue(server.store.reader), [])
})

test('a trusted network may relay', async t => {
  const server = await openServer(t, { smtp: { trustedNetworks: ['127.0.0.0/8'] } })
  const client = await server.client()
  await client.say('EHLO x')
  assert.equal(
    codeOf(await client.deliver('Subject: x\r\n\r\nx', 'a@example.org', 'eve@example.net')),
    '250 2.0.0',
  )
  const [queued] = await listQueue(server.store.reader)
  assert.deepEqual(
    queued?.recipients.map(({ address, domain }) => [address, domain]),
    [['eve@example.net', 'example.net']],
  )
  // What waits begins behind the Return-Path.
  const sent = await server.store.readBody(0 as never, queued?.hash as never, queued?.skipBytes)
  assert.match(sent.toString(), /^Received: from x/)
})

test('a message to several recipients is one copy each, and one for two addresses of one account', async t => {
  const server = await openServer(t)
  await createAlias(server.directory, 'team@example.org', ['ann@example.org', 'bob@example.org'])
  const client = await server.client()
  await client.say('EHLO x')
  await client.deliver('\r\nx', 'a@b', 'ann@example.org', 'team@example.org', 'Ann+list@example.org')
  const [one, ...more] = await server.messages(server.ann)
  assert.equal(more.length, 0)
  // RFC 5321 §7.2: several recipients are not told of each other.
  assert.doesNotMatch(one ?? '', /for </)
  assert.equal((await server.messages(server.bob)).length, 1)
})

test('mail for a plus address goes to INBOX, or to a folder where that is configured', async t => {
  for (const [plusAddress, mailbox] of [
    ['inbox', 'INBOX'],
    ['existing-folder', 'INBOX'],
    ['folder', 'lists'],
  ] as const) {
    const server = await openServer(t, { delivery: { plusAddress } })
    const client = await server.client()
    await client.say('EHLO x')
    await client.deliver('\r\nx', 'a@b', 'ann+lists@example.org')
    await client.deliver('\r\nx', 'a@b', 'ann+junk@example.org')
    assert.equal(
      (await server.messages(server.ann, mailbox)).length,
      mailbox === 'lists' ? 1 : plusAddress === 'inbox' ? 2 : 1,
    )
    if (plusAddress === 'existing-folder') assert.equal((await server.messages(server.ann, 'Junk')).length, 1)
  }
})

test('an alias to elsewhere goes into the queue, and a message that was forwarded here before is a loop', async t => {
  const server = await openServer(t)
  await createAlias(server.directory, 'away@example.org', ['ann@example.net'])
  const client = await server.client()
  await client.say('EHLO x')
  assert.equal(
    codeOf(await client.deliver('Subject: x\r\n\r\nx', 'eve@example.com', 'away@example.org')),
    '250 2.0.0',
  )
  const [queued] = await listQueue(server.store.reader)
  assert.equal(queued?.mailFrom, 'eve@example.com')
  assert.equal(queued?.prefix, 'Delivered-To: away@example.org\r\n')
  assert.deepEqual(
    queued?.recipients.map(({ address, originalRecipient }) => [address, originalRecipient]),
    [['ann@example.net', 'rfc822;away@example.org']],
  )
  assert.equal(
    codeOf(
      await client.deliver('Delivered-To: AWAY@example.org\r\n\r\nx', 'eve@example.com', 'away@example.org'),
    ),
    '554 5.4.6',
  )
})

test('a message that was received a hundred times goes round in circles (RFC 5321 §6.3)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  const hops = (count: number) => `${'Received: by x\r\n'.repeat(count)}\r\nx`
  // Our own Received is one more.
  assert.equal(
    codeOf(await client.deliver(hops(limits.smtp.receivedFields - 1), 'a@b', 'ann@example.org')),
    '250 2.0.0',
  )
  assert.equal(
    codeOf(await client.deliver(hops(limits.smtp.receivedFields), 'a@b', 'ann@example.org')),
    '554 5.4.6',
  )
})

test('a message may have so many bytes and not one more (RFC 1870), and the session goes on', async t => {
  const server = await openServer(t, { smtp: { maxMessageBytes: 2000 } })
  const client = await server.client()
  await client.say('EHLO x')
  assert.deepEqual(await client.codes('MAIL FROM:<a@b> SIZE=2001', 'MAIL FROM:<a@b> SIZE=2000', 'RSET'), [
    '552 5.3.4',
    '250 2.1.0',
    '250 2.0.0',
  ])
  const content = (bytes: number) => 'x'.repeat(bytes - 2)
  assert.equal(codeOf(await client.deliver(content(2000), 'a@b', 'ann@example.org')), '250 2.0.0')
  assert.equal(codeOf(await client.deliver(content(2001), 'a@b', 'ann@example.org')), '552 5.3.4')
  assert.equal(codeOf(await client.deliver(content(300_000), 'a@b', 'ann@example.org')), '552 5.3.4')
  assert.equal((await server.messages(server.ann)).length, 1)
  assert.equal(codeOf(await client.say('NOOP')), '250 2.0.0')
})

test('a message larger than what is kept in memory arrives whole', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  const content = `Subject: big\r\n\r\n${'0123456789abcdef\r\n'.repeat(30_000)}end`
  assert.equal(codeOf(await client.deliver(content, 'a@b', 'ann@example.org')), '250 2.0.0')
  assert.ok((await server.messages(server.ann))[0]?.endsWith(`${content}\r\n`))
})

test('a transaction has so many recipients and not one more (RFC 5321 §4.5.3.1.10)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  await client.say('MAIL FROM:<a@b>')
  client.send('RCPT TO:<ann@example.org>\r\n'.repeat(limits.smtp.recipients + 1))
  for (let i = 0; i < limits.smtp.recipients; i++) assert.equal(codeOf(await client.reply()), '250 2.1.5')
  assert.equal(codeOf(await client.reply()), '452 4.5.3')
})

test('a command line has so many bytes and not one more, and an endless one does not fill the memory', async t => {
  const server = await openServer(t)
  const client = await server.client()
  const noop = (bytes: number) => `NOOP ${'x'.repeat(bytes - 5)}`
  assert.equal(codeOf(await client.say(noop(limits.smtp.commandLineBytes))), '250 2.0.0')
  assert.equal(codeOf(await client.say(noop(limits.smtp.commandLineBytes + 1))), '500 5.5.6')
  client.send(Buffer.alloc(8 * 1024 * 1024, 'x'))
  client.send('\r\nNOOP\r\n')
  assert.equal(codeOf(await client.reply()), '500 5.5.6')
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  client.send(Buffer.alloc(20 * 1024 * 1024, 'x'))
  assert.match(await client.rest(), /^(?:421 [^\n]*\r\n)?$/)
})

test('too many bad commands in a row end the session with 421', async t => {
  const server = await openServer(t)
  const client = await server.client()
  for (let i = 0; i < limits.smtp.badCommands - 1; i++) await client.say('FOO')
  assert.equal(codeOf(await client.say('NOOP')), '250 2.0.0')
  client.send('FOO\r\n'.repeat(limits.smtp.badCommands))
  assert.match(await client.rest(), /421 4\.7\.0/)
})

test('who guesses recipients is sent away', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  await client.say('MAIL FROM:<a@b>')
  client.send('RCPT TO:<nobody@example.org>\r\n'.repeat(limits.smtp.unknownRecipients + 1))
  assert.match(await client.rest(), /421 4\.7\.0/)
})

test('one connection sends so many messages', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  client.send('MAIL FROM:<>\r\nRSET\r\n'.repeat(limits.smtp.transactions))
  for (let i = 0; i < limits.smtp.transactions * 2; i++) assert.match(await client.reply(), /^250/)
  assert.equal(codeOf(await client.say('MAIL FROM:<>')), '421 4.7.0')
  assert.equal(await client.rest(), '')
})

test('HTTP verbs close the connection without an answer (ALPACA)', async t => {
  const server = await openServer(t)
  for (const verb of ['GET / HTTP/1.1', 'POST / HTTP/1.1', 'CONNECT x:25 HTTP/1.1', 'put /x']) {
    const client = await server.client()
    client.send(`${verb}\r\nHost: x\r\n\r\nEHLO x\r\nMAIL FROM:<a@b>\r\n`)
    assert.equal(await client.rest(), '')
  }
})

test('a line that ends in LF alone, or holds a control character, is no command', async t => {
  const server = await openServer(t)
  const client = await server.client()
  client.send('EHLO x\nEHLO x\r\n')
  assert.equal(codeOf(await client.reply()), '500 5.5.2')
  assert.equal(codeOf(await client.reply()), '250')
  for (const line of ['NOOP \0', 'NOOP a\rb', 'MAIL FROM:<a\x01@b>', 'MAIL FROM:<a@b>\x7f'])
    assert.equal(codeOf(await client.say(line)), '500 5.5.2', JSON.stringify(line))
  assert.equal(codeOf(await client.say('NOOP \xff\xfe')), '501 5.5.2')
})

test('bytes pipelined behind STARTTLS are dropped with all that was learnt before (CVE-2011-0411)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO injected.example')
  await client.startTls('EHLO injected.example\r\nMAIL FROM:<evil@x>\r\n')
  assert.deepEqual(await client.codes('MAIL FROM:<a@b>'), ['503 5.5.1'])
  assert.doesNotMatch(await client.say('EHLO x'), /STARTTLS/)
  assert.deepEqual(await client.codes('STARTTLS'), ['503 5.5.1'])
  await client.deliver('\r\nx', 'a@b', 'ann@example.org')
  assert.match((await server.messages(server.ann))[0] ?? '', /with ESMTPS \(TLSv1\.3 [A-Z0-9_]+\)/)
})

test('who talks before the greeting is refused', async t => {
  const stranger = (connection: object) =>
    new Proxy(connection, {
      get(target, key) {
        if (key === 'isLoopback') return false
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  const server = await openServer(t, {
    smtp: { greetingDelayMs: 200 },
    disguise: connection => stranger(connection) as typeof connection,
  })
  const listener = await server.open('smtp')
  const early = await Client.open(t, listener.port)
  early.send('EHLO x\r\n')
  assert.match(await early.rest(), /^554 5\.5\.1 /)
  const patient = await Client.open(t, listener.port)
  assert.match(await patient.reply(), /^220 mx\.example\.org ESMTP/)
})

test('a silent client and one that stops within a message are sent away in time', async t => {
  let nowMs = 1000
  const deadlines = new Deadlines({ now: () => nowMs, grainMs: 10 })
  const server = await openServer(t, { deadlines })
  const silent = await server.client()
  const stuck = await server.client()
  await stuck.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
  stuck.send('Subject: x\r\n')
  const other = await server.client()
  await other.say('EHLO x')
  nowMs += 301_000
  deadlines.check()
  assert.match(await silent.rest(), /^421 4\.4\.2 /)
  assert.match(await stuck.rest(), /^421 4\.4\.2 /)
  assert.equal((await server.messages(server.ann)).length, 0)
})

test('a client that reads no answers is not heard any more, and others are', async t => {
  const server = await openServer(t)
  const listener = await server.open('smtp')
  const deaf = connect({ port: listener.port, host: '127.0.0.1' })
  t.after(() => deaf.destroy())
  deaf.pause()
  const lines = 'VRFY x\r\n'.repeat(100_000)
  let isTaken = false
  for (let i = 0; i < 30; i++) deaf.write(lines, () => (isTaken = i === 29))
  const other = await Client.connect(t, listener.port)
  for (let i = 0; i < 50; i++) assert.equal(codeOf(await other.say('NOOP')), '250 2.0.0')
  // The server has stopped reading: what it owes the deaf one is bounded.
  assert.equal(isTaken, false)
})

test('a client that leaves within a message leaves nothing', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
  client.send('Subject: x\r\n\r\nhalf')
  client.end()
  await client.rest()
  assert.deepEqual(await server.messages(server.ann), [])
})

test('at shutdown idle sessions hear 421, and a message that is under way is finished', async t => {
  const server = await openServer(t)
  const listener = await server.open('smtp')
  const idle = await Client.connect(t, listener.port)
  const busy = await Client.connect(t, listener.port)
  await busy.codes('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<ann@example.org>', 'DATA')
  const stopped = listener.stop(5000)
  assert.match(await idle.rest(), /^421 4\.3\.2 /)
  busy.send('last\r\n.\r\n')
  assert.equal(codeOf(await busy.reply()), '250 2.0.0')
  assert.match(await busy.rest(), /^421 4\.3\.2 /)
  idle.end()
  busy.end()
  await stopped
  assert.equal((await server.messages(server.ann)).length, 1)
})

test('internationalized mail needs SMTPUTF8 (RFC 6531 §3.5)', async t => {
  const server = await openServer(t)
  const client = await server.client()
  await client.say('EHLO x')
  const utf8 = (text: string) => Buffer.from(text).toString('latin1')
  assert.deepEqual(
    await client.codes(
      utf8('MAIL FROM:<jörg@example.net>'),
      utf8('MAIL FROM:<jörg@bücher.example> SMTPUTF8'),
    ),
    ['550 5.6.7', '250 2.1.0'],
  )
  assert.deepEqual(await client.codes('RCPT TO:<ann@example.org>'), ['250 2.1.5'])
  await client.say('DATA')
  client.send(utf8('Subject: Grüße\r\n\r\nx\r\n.\r\n'))
  assert.equal(codeOf(await client.reply()), '250 2.0.0')
  const message = Buffer.from((await server.messages(server.ann))[0] ?? '', 'latin1').toString()
  assert.match(
    message,
    /^Return-Path: <jörg@bücher\.example>\r\nReceived: .*\r\n\tby mx\.example\.org with UTF8SMTP\r\n/,
  )
  assert.deepEqual(await client.codes('MAIL FROM:<a@b>', utf8('RCPT TO:<jörg@example.org>')), [
    '250 2.1.0',
    '553 5.6.7',
  ])
})

test('AUTH is not for the receiving port, unless it is configured', async t => {
  const closed = await (await openServer(t)).client()
  await closed.say('EHLO x')
  assert.equal(codeOf(await closed.say(`AUTH PLAIN ${plainResponse('ann', 'x')}`)), '502 5.5.1')
  const open = await (await openServer(t, { smtp: { authOnReceivingPort: true } })).client()
  assert.match(await open.say('EHLO x'), /\n250 AUTH /)
})

test('a full mailbox is refused at RCPT, for now or for good', async t => {
  for (const [overQuota, code] of [
    ['later', '452 4.2.2'],
    ['never', '552 5.2.2'],
  ] as const) {
    const server = await openServer(t, {
      smtp: { overQuota },
      account: { quota: { bytes: 1000 } },
      defaultQuota: { bytes: 1000 },
    })
    const client = await server.client()
    await client.say('EHLO x')
    assert.equal(codeOf(await client.deliver('x'.repeat(500), 'a@b', 'ann@example.org')), '250 2.0.0')
    assert.deepEqual(
      await client.codes(
        'MAIL FROM:<a@b> SIZE=600',
        'RCPT TO:<ann@example.org>',
        'RSET',
        'MAIL FROM:<a@b> SIZE=1001',
        'RCPT TO:<bob@example.org>',
      ),
      ['250 2.1.0', code, '250 2.0.0', '250 2.1.0', '552 5.2.3'],
    )
    await client.say('RSET')
    // It turns out at the end only.
    assert.equal(codeOf(await client.deliver('x'.repeat(600), 'a@b', 'ann@example.org')), code)
  }
})

test('a mailbox that is full for good is reported where others take the message', async t => {
  const server = await openServer(t, {
    smtp: { overQuota: 'never' },
    account: { quota: { bytes: 4000 } },
    defaultQuota: { bytes: 4000 },
  })
  const client = await server.client()
  await client.say('EHLO x')
  await client.deliver('x'.repeat(3300), 'a@b', 'ann@example.org')
  assert.equal(
    codeOf(await client.deliver('y'.repeat(700), 'bob@example.org', 'ann@example.org', 'bob@example.org')),
    '250 2.0.0',
  )
  assert.deepEqual(await listQueue(server.store.reader), [])
  const [, report = ''] = await server.messages(server.bob)
  assert.match(
    report,
    /\r\nFinal-Recipient: rfc822; ann@example\.org\r\nAction: failed\r\nStatus: 5\.2\.2\r\n/,
  )
})

test('where one mailbox of several is full, the others get the message and it is tried again (RFC 5321 §4.2.5)', async t => {
  const server = await openServer(t, { account: { quota: { bytes: 1500 } }, defaultQuota: { bytes: 1500 } })
  const client = await server.client()
  await client.say('EHLO x')
  await client.deliver('x'.repeat(1000), 'a@b', 'ann@example.org')
  assert.equal(
    codeOf(await client.deliver('y'.repeat(600), 'eve@b.example', 'ann@example.org', 'bob@example.org')),
    '250 2.0.0',
  )
  assert.equal((await server.messages(server.bob)).length, 1)
  assert.equal((await server.messages(server.ann)).length, 1)
  const [queued] = await listQueue(server.store.reader)
  assert.deepEqual(
    queued?.recipients.map(({ address, domain }) => [address, domain]),
    [['ann@example.org', '']],
  )
})

test('a large message on disk is taken over too for a mailbox that is full', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'smtp-large-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const bytes = limits.store.ownSegmentBytes + 1_000_000
  const store = await openStore({ dataDir: folder }, { defaultQuota: { bytes: bytes * 1.5 } })
  t.after(() => store.close())
  const server = await openServer(t, { store, account: { quota: { bytes: bytes * 1.5 } } })
  const client = await server.client()
  await client.say('EHLO x')
  const content = (letter: string) => `${letter.repeat(70)}\r\n`.repeat(bytes / 72)
  await client.deliver(content('a'), 'a@b.example', 'ann@example.org')
  assert.equal(
    codeOf(await client.deliver(content('b'), 'a@b.example', 'bob@example.org', 'ann@example.org')),
    '250 2.0.0',
  )
  const [queued] = await listQueue(store.reader)
  const body = await store.readBody(0 as never, queued?.hash as never, queued?.skipBytes)
  assert.ok(body.toString().endsWith(`${content('b')}\r\n`))
})

test('a log, a reply and a metric never hold a body or a password (canary)', async t => {
  const lines: string[] = []
  const write = (fields: object, message: string) => lines.push(`${JSON.stringify(fields)} ${message}`)
  const log = { debug: write, info: write, warn: write, error: write, child: () => log }
  const server = await openServer(t, { log })
  const client = await server.client('submission')
  await client.say('EHLO x')
  await client.say(`AUTH PLAIN ${plainResponse('ann@example.org', 'canary-secret')}`)
  await client.say(`AUTH PLAIN ${plainResponse('ann@example.org', 'correct horse')}`)
  await client.deliver('Subject: canary-subject\r\n\r\ncanary-body', 'ann@example.org', 'bob@example.org')
  assert.ok(lines.length > 0)
  assert.doesNotMatch(lines.join('\n') + client.chunks.join(''), /canary|Y2FuYXJ5|correct horse/)
})
