import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ImapFlow } from 'imapflow'
import nodemailer from 'nodemailer'
import { createMailServer, type MailServer, StoreError } from '../../src/index.ts'
import { LineClient, sendMail } from './client.ts'

const address = 'ann@example.org'
const password = 'secret'

async function withAnn(options: Parameters<typeof createMailServer>[0] = {}): Promise<MailServer> {
  const server = await createMailServer(options)
  await server.accounts.create(address, password)
  return server
}

test('sign-up mail arrives as typed values', async () => {
  await using server = await withAnn()
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: server.ports.smtp,
    tls: { rejectUnauthorized: false },
  })
  const waiting = server.waitForMessage(address, { subject: 'welcome' })
  await transport.sendMail({
    from: '"The Shop" <shop@shop.example>',
    to: address,
    subject: 'Welcome, Änn',
    text: 'Your code is 481 516.\nOr open https://shop.example/confirm?token=abc.',
    html: '<p>Your code is <b>481 516</b>. <a href="https://shop.example/confirm?token=abc&amp;x=1">Confirm</a></p>',
    attachments: [{ filename: 'terms – final.txt', content: 'none' }],
  })
  const message = await waiting
  assert.deepEqual(message.from, [{ name: 'The Shop', address: 'shop@shop.example' }])
  assert.equal(message.subject, 'Welcome, Änn')
  assert.deepEqual(message.codes, ['481516'])
  assert.deepEqual(message.links, [
    { url: 'https://shop.example/confirm?token=abc&x=1', text: 'Confirm' },
    { url: 'https://shop.example/confirm?token=abc', text: '' },
  ])
  assert.match(message.text, /^Your code is 481 516\.\n/)
  assert.match(message.html ?? '', /<b>481 516<\/b>/)
  const [terms] = message.attachments
  assert.deepEqual(
    [terms?.fileName, terms?.contentType, terms?.bytes.toString()],
    ['terms – final.txt', 'text/plain', 'none'],
  )
  assert.equal(message.mailbox, 'INBOX')
  assert.match(message.header('received')[0] ?? '', /by localhost/)
})

test('a message that is there already is found at once', async () => {
  await using server = await withAnn()
  await server.import(address, Buffer.from('Subject: one\r\n\r\nx\r\n'))
  assert.equal((await server.waitForMessage(address, { subject: /^one$/ })).subject, 'one')
})

test('a wait that ends says what was there instead', async () => {
  await using server = await withAnn()
  await server.import(address, Buffer.from('Subject: other\r\n\r\nx\r\n'))
  await assert.rejects(
    server.waitForMessage(address, { subject: 'wanted' }, { timeoutMs: 50 }),
    /ann@example\.org got no message with subject "wanted" within 50 ms: only "other"/,
  )
  await assert.rejects(server.waitForMessage('ben@example.org'), /there is no account ben@example\.org/)
})

test('a wait ends when the server closes or its signal says so', async () => {
  const server = await withAnn()
  const aborted = new AbortController()
  const first = assert.rejects(server.waitForMessage(address, {}, { signal: aborted.signal }), /enough/)
  const second = assert.rejects(server.waitForMessage(address), /the mail server was closed/)
  aborted.abort(new Error('enough'))
  await first
  await server.close()
  await second
})

test('every protocol serves the same mail', async () => {
  await using server = await withAnn()
  assert.match(
    await sendMail(server.ports.lmtp, 'x@example.net', address, 'Subject: by LMTP\n\nbody', 'LHLO'),
    /^250 /,
  )
  await sendMail(server.ports.smtp, 'x@example.net', address, 'Subject: by SMTP\n\nbody')
  await server.waitForMessage(address, { subject: 'by SMTP' })
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: server.ports.imaps,
    secure: true,
    auth: { user: address, pass: password },
    logger: false,
    tls: { ca: server.certificate, servername: 'localhost' },
  })
  await client.connect()
  await client.mailboxOpen('INBOX')
  const subjects: string[] = []
  for await (const message of client.fetch('1:*', { envelope: true }))
    subjects.push(message.envelope?.subject ?? '')
  await client.logout()
  assert.deepEqual(subjects, ['by LMTP', 'by SMTP'])
  const pop3 = await LineClient.connect(server.ports.pop3)
  await pop3.until(/\+OK.*\r\n/)
  pop3.send(`USER ${address}\r\nPASS ${password}\r\nSTAT\r\n`)
  await pop3.until(new RegExp(`\\+OK ${subjects.length} \\d+\\r\\n`))
  pop3.end()
})

test('submission delivers between accounts, and nothing leaves the machine', async () => {
  await using server = await withAnn()
  await server.accounts.create('ben@example.org', password)
  const queued = new Promise<readonly string[]>(resolve => {
    server.on('queued', ({ recipients }) => resolve(recipients))
  })
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: server.ports.submission,
    auth: { user: address, pass: password },
    tls: { ca: server.certificate, servername: 'localhost' },
  })
  await transport.sendMail({
    from: address,
    to: ['ben@example.org', 'far@away.example'],
    subject: 'both',
    text: 'x',
  })
  const message = await server.waitForMessage('ben@example.org', message => message.subject === 'both')
  assert.equal(message.from[0]?.address, address)
  assert.deepEqual(await queued, ['far@away.example'])
})

test('events tell of deliveries and log-ins', async () => {
  await using server = await withAnn()
  const seen: unknown[] = []
  server.on('loggedIn', ({ account, protocol }) => seen.push({ account, protocol }))
  server.on('loginRefused', ({ account }) => seen.push({ refused: account }))
  const delivered = new Promise(resolve => {
    server.on('delivered', resolve)
  })
  await sendMail(server.ports.smtp, 'x@example.net', address, 'From: x@example.net\nSubject: hello\n\nbody')
  assert.deepEqual(await delivered, {
    account: address,
    mailbox: 'INBOX',
    uid: 1,
    subject: 'hello',
    from: 'x@example.net',
  })
  const client = await LineClient.connect(server.ports.imap)
  await client.until(/\* OK.*\r\n/)
  client.send(`a LOGIN ${address} wrong\r\n`)
  await client.until(/a NO.*\r\n/)
  client.send(`b LOGIN ${address} ${password}\r\n`)
  await client.until(/b OK.*\r\n/)
  client.end()
  assert.deepEqual(seen, [{ refused: address }, { account: address, protocol: 'imap' }])
})

test('a listener that throws stops nobody', async () => {
  await using server = await withAnn()
  server.on('delivered', () => {
    throw new Error('a listener of the test')
  })
  const second = new Promise(resolve => {
    server.on('delivered', resolve)
  })
  await server.import(address, Buffer.from('Subject: x\r\n\r\n'))
  await second
})

test('a hook can make the store fail, and the peer is told to try again', async () => {
  let isFull = true
  await using server = await withAnn({
    hooks: {
      mutate(name) {
        if (isFull && name === 'acceptMessage') throw new StoreError('disk-full', 'no room')
      },
    },
  })
  assert.match(await sendMail(server.ports.smtp, 'x@example.net', address, 'Subject: 1\n\nx'), /^4\d\d /)
  isFull = false
  assert.match(await sendMail(server.ports.smtp, 'x@example.net', address, 'Subject: 2\n\nx'), /^250 /)
  assert.deepEqual(
    (await server.messages(address)).map(({ subject }) => subject),
    ['2'],
  )
})

test('a hook can turn a connection away', async () => {
  await using server = await createMailServer({
    protocols: ['imap', 'pop3'],
    hooks: {
      connection({ protocol }) {
        if (protocol === 'imap') throw new Error('not today')
      },
    },
  })
  const refused = await LineClient.connect(server.ports.imap)
  assert.equal(await refused.untilEnd(), '')
  const served = await LineClient.connect(server.ports.pop3)
  await served.until(/\+OK.*\r\n/)
  served.end()
})

test('only the protocols that are named listen', async () => {
  await using server = await createMailServer({ protocols: ['imap'] })
  assert.ok(server.ports.imap > 0)
  assert.throws(() => server.ports.smtp, /smtp does not listen: name it in `protocols`/)
})

test('the clock dates what arrives', async () => {
  const now = Date.UTC(2031, 0, 2, 3, 4, 5)
  await using server = await withAnn({ clock: { now: () => now } })
  await sendMail(server.ports.smtp, 'x@example.net', address, 'Subject: later\n\nx')
  const message = await server.waitForMessage(address)
  assert.equal(message.receivedAt.getTime(), now)
  assert.match(message.header('Received')[0] ?? '', /2 Jan 2031 03:04:05/)
})

test('a store in a folder keeps its mail', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-library-'))
  {
    await using server = await withAnn({ store: { dataDir } })
    await server.import(address, Buffer.from('Subject: kept\r\n\r\nx\r\n'), {
      flags: ['\\Seen', 'blue'],
      mailbox: 'Archive',
    })
  }
  await using again = await createMailServer({ store: { dataDir } })
  const [message] = await again.messages(address)
  assert.equal(message?.subject, 'kept')
  assert.deepEqual(message?.flags, ['\\Seen', 'blue'])
  assert.equal(message?.mailbox, 'Archive')
})

test('a path is imported as what it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-library-'))
  writeFileSync(join(folder, 'a.mbox'), 'From x Thu Jan  1 00:00:00 2026\nSubject: in an mbox\n\nbody\n\n')
  writeFileSync(join(folder, 'b.eml'), 'Subject: in a file\n\nbody\n')
  await using server = await withAnn()
  assert.equal((await server.import(address, join(folder, 'a.mbox'))).added, 1)
  assert.equal((await server.import(address, folder)).added, 1)
  assert.equal((await server.import(address, folder)).known, 1)
  const subjects = (await server.messages(address)).map(({ subject }) => subject)
  assert.deepEqual(subjects, ['in an mbox', 'in a file'])
})

test('fifty servers live in one process', async () => {
  const servers = await Promise.all(Array.from({ length: 50 }, () => withAnn()))
  await Promise.all(
    servers.map(async (server, index) => {
      await sendMail(server.ports.smtp, 'x@example.net', address, `Subject: for ${index}\n\nx`)
      const message = await server.waitForMessage(address)
      assert.equal(message.subject, `for ${index}`)
    }),
  )
  await Promise.all(servers.map(server => server.close()))
})

test('nothing that a client does to a socket reaches the program', async context => {
  const caught: unknown[] = []
  const onError = (error: unknown) => caught.push(error)
  process.on('uncaughtException', onError)
  process.on('unhandledRejection', onError)
  context.after(() => {
    process.off('uncaughtException', onError)
    process.off('unhandledRejection', onError)
  })
  await using server = await withAnn()
  const doors = ['imap', 'imaps', 'pop3', 'pop3s', 'smtp', 'submission', 'submissions', 'lmtp'] as const
  // Half of a TLS handshake waits for its deadline, which a test need not.
  const waysOut = (door: string) =>
    /^(?:imaps|pop3s|submissions)$/.test(door)
      ? (['reset', 'close'] as const)
      : (['reset', 'close', 'half'] as const)
  const openings = [
    '',
    'a LOGIN x {10}\r\nab',
    'EHLO x\r\nMAIL FROM:<a@b',
    'USER a\r\nPA',
    '\x16\x03\x01\x02\x00\x01\x00',
    '\0'.repeat(5000),
    'a'.repeat(70_000),
  ]
  await Promise.all(
    doors.flatMap(door =>
      openings.flatMap(opening =>
        waysOut(door).map(async way => {
          const socket = connect(server.ports[door], '127.0.0.1')
          socket.on('error', () => {})
          const closed = new Promise(resolve => socket.once('close', resolve))
          await once(socket, 'connect')
          socket.write(opening, 'latin1')
          if (way === 'reset') socket.resetAndDestroy()
          else if (way === 'close') socket.destroy()
          else {
            socket.end()
            socket.resume()
          }
          await closed
        }),
      ),
    ),
  )
  await sendMail(server.ports.smtp, 'x@example.net', address, 'Subject: still here\n\nx')
  assert.equal((await server.waitForMessage(address)).subject, 'still here')
  assert.deepEqual(caught, [])
})
