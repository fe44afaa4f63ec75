import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { silentLog } from '../../src/base/log.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import type { OutgoingMessage, OutgoingRecipient, Verdict } from '../../src/smtpclient/outgoing.ts'
import { Sender, type SenderOptions } from '../../src/smtpclient/sender.ts'
import { fakeResolver } from './fake-resolver.ts'
import { hangUp, type RemoteOptions, type RemoteServer, remoteServer } from './remote-server.ts'

const zones = {
  'remote.example': {
    mx: [
      [10, 'mail.remote.example'],
      [20, 'backup.remote.example'],
    ],
  },
  'mail.remote.example': { a: ['192.0.2.1'] },
  'backup.remote.example': { a: ['192.0.2.2'] },
} as const

interface Setup {
  readonly remote: RemoteServer
  readonly sender: Sender
  send(
    message?: Partial<OutgoingMessage> & { content?: string | Buffer },
    ...to: (string | OutgoingRecipient)[]
  ): Promise<readonly Verdict[]>
}

/** Only the first of the domain's servers runs. */
async function setUp(
  t: TestContext,
  options: RemoteOptions = {},
  changes: Partial<SenderOptions> = {},
): Promise<Setup> {
  const remote = await remoteServer(t, options)
  const sender = new Sender({
    resolver: fakeResolver(zones),
    deadlines: new Deadlines(),
    hostname: 'mx.example.org',
    log: silentLog,
    random: () => 0.99,
    overrideHop: hop =>
      hop.address === '192.0.2.1' ? { ...hop, address: '127.0.0.1', port: remote.port } : undefined,
    ...changes,
  })
  t.after(() => sender.close())
  return {
    remote,
    sender,
    send({ content = 'Subject: x\r\n\r\nx\r\n', ...message } = {}, ...to) {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      return sender.send(
        'remote.example',
        {
          mailFrom: 'ann@example.org',
          bodyType: '7BIT',
          smtpUtf8: false,
          sizeBytes: bytes.length,
          async *read() {
            for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000)
          },
          ...message,
        },
        (to.length > 0 ? to : ['eve@remote.example']).map(one =>
          typeof one === 'string' ? { address: one } : one,
        ),
      )
    },
  }
}

const brief = (verdicts: readonly Verdict[]) =>
  verdicts.map(({ kind, code, status }) => `${kind} ${code} ${status}`)

test('a message is sent, dot-stuffed, with SIZE and in one pipeline', async t => {
  const { remote, send } = await setUp(t)
  const verdicts = await send(
    { content: 'Subject: x\r\n\r\n.dot\r\n..\r\nend' },
    'eve@remote.example',
    'ian@remote.example',
  )
  assert.deepEqual(brief(verdicts), ['delivered 250 2.0.0', 'delivered 250 2.0.0'])
  assert.deepEqual(remote.lines.slice(0, 5), [
    'EHLO mx.example.org',
    'MAIL FROM:<ann@example.org> SIZE=27',
    'RCPT TO:<eve@remote.example>',
    'RCPT TO:<ian@remote.example>',
    'DATA',
  ])
  assert.equal(remote.received[0]?.content, 'Subject: x\r\n\r\n.dot\r\n..\r\nend\r\n')
})

test('smuggling out: a bare CR or LF in stored content leaves as CRLF and ends nothing', async t => {
  const { remote, send } = await setUp(t)
  for (const evil of ['\n.\n', '\r.\r', '\n.\r\n', '\r\n.\n', '\r.\r\n']) {
    await send({ content: `a${evil}MAIL FROM:<evil@x>\r\n` })
    const content = remote.received.at(-1)?.content ?? ''
    assert.match(content, /MAIL FROM:<evil@x>\r\n$/)
    assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/)
  }
  assert.equal(remote.received.length, 5)
})

test('a connection is used again for the next message', async t => {
  const { remote, send } = await setUp(t)
  await send()
  await send()
  assert.equal(remote.connections, 1)
  assert.equal(remote.received.length, 2)
})

test('a kept connection that the server has left is not used', async t => {
  const { remote, send } = await setUp(t, {
    end: socket => socket.write('250 2.0.0 ok\r\n421 4.4.2 bye\r\n', () => socket.end()),
  })
  await send()
  assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
  assert.equal(remote.connections, 2)
})

test('each recipient has its own answer', async t => {
  const { remote, send } = await setUp(t, {
    rcpt: {
      'no@remote.example': '550 5.1.1 nobody',
      'grey@remote.example': '451 4.7.1 come back',
      'many@remote.example': '552 too many',
    },
  })
  assert.deepEqual(
    brief(
      await send({}, 'no@remote.example', 'eve@remote.example', 'grey@remote.example', 'many@remote.example'),
    ),
    ['failed 550 5.1.1', 'delivered 250 2.0.0', 'later 451 4.7.1', 'later 552 5.0.0'],
  )
  assert.deepEqual(remote.received[0]?.rcptLines, ['RCPT TO:<eve@remote.example>'])
})

test('without an accepted recipient no content is sent, and the connection stays good', async t => {
  const { remote, send } = await setUp(t, { rcpt: { 'no@remote.example': '550 5.1.1 nobody' } })
  assert.deepEqual(brief(await send({}, 'no@remote.example')), ['failed 550 5.1.1'])
  assert.ok(!remote.lines.includes('DATA'))
  assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
  assert.equal(remote.connections, 1)
})

for (const [name, options, expected] of [
  ['a busy greeting', { greeting: '421 4.3.2 busy' }, 'later 421 4.3.2'],
  ['a greeting that refuses us', { greeting: '554 5.7.1 go away' }, 'later 554 5.7.1'],
  ['no greeting but a hang-up', { greeting: hangUp }, 'later 0 4.4.2'],
  ['a greeting that is no reply', { greeting: 'HTTP/1.1 400 Bad Request' }, 'later 0 4.5.0'],
  ['EHLO answered with 421', { ehlo: '421 4.3.2 not now' }, 'later 421 4.3.2'],
  ['a refused sender', { mail: '550 5.7.1 not you' }, 'failed 550 5.7.1'],
  ['a sender to come later', { mail: '450 4.7.1 greylisted' }, 'later 450 4.7.1'],
  ['a hang-up at MAIL', { mail: hangUp }, 'later 0 4.4.2'],
  ['a hang-up at RCPT', { rcpt: { 'eve@remote.example': hangUp } }, 'later 0 4.4.2'],
  ['421 at RCPT', { rcpt: { 'eve@remote.example': '421 4.4.2 bye' } }, 'later 421 4.4.2'],
  ['DATA refused', { data: '554 5.7.1 no' }, 'failed 554 5.7.1'],
  ['DATA answered with 250', { data: '250 ok' }, 'later 451 4.0.0'],
  ['a hang-up within the content', { hangUpAfterBytes: 0 }, 'later 0 4.4.2'],
  ['content refused', { end: '550 5.6.0 spam' }, 'failed 550 5.6.0'],
  ['content to come later', { end: '452 4.3.1 disk' }, 'later 452 4.3.1'],
  ['a hang-up after the dot', { end: hangUp }, 'later 0 4.4.2'],
  ['a reply of different codes', { mail: '250-a\r\n550 b' }, 'later 0 4.5.0'],
  ['a reply without end', { mail: Array.from({ length: 200 }, () => '250-x').join('\r\n') }, 'later 0 4.5.0'],
  ['a line without end', { mail: `250 ${'x'.repeat(100_000)}` }, 'later 0 4.4.2'],
] as const satisfies readonly (readonly [string, RemoteOptions, string])[]) {
  test(`a bad server: ${name} means ${expected}`, async t => {
    const { send } = await setUp(t, options)
    assert.deepEqual(brief(await send()), [expected])
  })
}

test('a server that sends a byte at a time is understood', async t => {
  const { send } = await setUp(t, { isSlow: true })
  assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
})

test('a server that never answers after the dot is given up in time, and not asked twice', async t => {
  let nowMs = 1000
  const deadlines = new Deadlines({ now: () => nowMs, grainMs: 10 })
  const dotted = Promise.withResolvers<void>()
  const { remote, send } = await setUp(t, { end: () => dotted.resolve() }, { deadlines })
  const sent = send()
  await dotted.promise
  await new Promise(setImmediate)
  nowMs += 601_000
  deadlines.check()
  const [verdict] = await sent
  assert.equal(verdict?.kind, 'later')
  assert.match(verdict?.text ?? '', /before it confirmed the message: the server is too slow/)
  assert.equal(remote.connections, 1)
})

test('the next server is asked when the first can not be reached or hangs up', async t => {
  const remote = await remoteServer(t)
  const { send } = await setUp(
    t,
    { greeting: '421 busy' },
    {
      overrideHop: hop =>
        hop.address === '192.0.2.2'
          ? { ...hop, address: '127.0.0.1', port: remote.port }
          : { ...hop, address: '127.0.0.1', port: 1 },
    },
  )
  assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
  assert.equal(remote.received.length, 1)
})

test('where no server can be reached it is tried later', async t => {
  const { send } = await setUp(t, {}, { overrideHop: hop => ({ ...hop, address: '127.0.0.1', port: 1 }) })
  assert.deepEqual(brief(await send()), ['later 0 4.4.1'])
})

test('nothing is connected to that the override forbids', async t => {
  const { remote, send } = await setUp(t, {}, { overrideHop: () => undefined })
  assert.deepEqual(brief(await send()), ['later 0 4.4.1'])
  assert.equal(remote.connections, 0)
})

test('TLS is used where it is offered, and done without where it fails', async t => {
  const offered = await setUp(t, { extensions: ['STARTTLS', 'PIPELINING'] })
  await offered.send()
  assert.equal(offered.remote.received[0]?.isSecure, true)
  const broken = await setUp(t, {
    extensions: ['STARTTLS'],
    starttls: socket =>
      socket.write('220 go\r\n', () => socket.write('this is no ServerHello\r\n'.repeat(10))),
  })
  assert.deepEqual(brief(await broken.send()), ['delivered 250 2.0.0'])
  assert.equal(broken.remote.received[0]?.isSecure, false)
  assert.equal(broken.remote.connections, 2)
})

test('replies injected behind the 220 of STARTTLS are not believed', async t => {
  const injected = '\r\n250-mail.remote.example\r\n250 XINJECTED\r\n250 2.1.0 ok\r\n550 5.1.1 nobody'
  const { remote, send } = await setUp(t, { extensions: ['STARTTLS'], injected })
  assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
  assert.equal(remote.received[0]?.isSecure, true)
})

test('a policy that demands TLS sends nothing without it, nor to a wrong certificate', async t => {
  for (const extensions of [['PIPELINING'], ['STARTTLS']]) {
    const { remote, send } = await setUp(
      t,
      { extensions },
      {
        tlsPolicy: (_domain, host) => ({ kind: 'required', options: { servername: host } }),
      },
    )
    const [verdict] = await send()
    assert.equal(verdict?.kind, 'later')
    assert.equal(remote.received.length, 0)
  }
})

test('a smarthost gets all, after a log-in', async t => {
  for (const [extensions, line] of [
    [['AUTH PLAIN LOGIN'], 'AUTH PLAIN AHUAcA=='],
    [['AUTH LOGIN'], 'AUTH LOGIN'],
  ] as const) {
    const remote = await remoteServer(t, { extensions })
    const { send } = await setUp(
      t,
      {},
      {
        overrideHop: undefined,
        smarthost: { host: '127.0.0.1', port: remote.port, tls: 'none', user: 'u', password: 'p' },
      },
    )
    assert.deepEqual(brief(await send()), ['delivered 250 2.0.0'])
    assert.ok(remote.lines.includes(line))
  }
})

test('a refused log-in at the smarthost keeps the mail', async t => {
  const remote = await remoteServer(t, {
    extensions: ['AUTH PLAIN'],
    auth: '535 5.7.8 you said AHUAcA== which is u and p',
  })
  const { send } = await setUp(
    t,
    {},
    {
      overrideHop: undefined,
      smarthost: { host: '127.0.0.1', port: remote.port, tls: 'none', user: 'u', password: 'p' },
    },
  )
  const [verdict] = await send()
  assert.deepEqual(brief(verdict ? [verdict] : []), ['later 535 5.7.8'])
  // What the server says back of the secret goes nowhere.
  assert.doesNotMatch(verdict?.text ?? '', /AHUAcA/)
})

test('8-bit content becomes 7-bit for a server without 8BITMIME, and stays for one with it', async t => {
  const content = Buffer.from(
    'Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGr\u00fc\u00dfe\r\n',
  )
  const old = await setUp(t, { extensions: [] })
  await old.send({ content, bodyType: '8BITMIME' })
  assert.match(
    old.remote.received[0]?.content ?? '',
    /Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n$/,
  )
  assert.equal(old.remote.received[0]?.mailLine, 'MAIL FROM:<ann@example.org>')
  const modern = await setUp(t)
  await modern.send({ content, bodyType: '8BITMIME' })
  assert.equal(modern.remote.received[0]?.content, content.toString('latin1'))
  assert.match(modern.remote.received[0]?.mailLine ?? '', / BODY=8BITMIME/)
})

test('binary content goes by BDAT, or in base64 to a server without BINARYMIME', async t => {
  const content = Buffer.concat([
    Buffer.from(
      'Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: binary\r\n\r\n',
    ),
    Buffer.from([0, 1, 13, 10, 255, 10, 13, 46, 13, 10]),
  ])
  const able = await setUp(t, { extensions: ['CHUNKING', 'BINARYMIME', '8BITMIME'] })
  await able.send({ content, bodyType: 'BINARYMIME' })
  assert.equal(able.remote.received[0]?.content, content.toString('latin1'))
  const unable = await setUp(t)
  await unable.send({ content, bodyType: 'BINARYMIME' })
  assert.match(
    unable.remote.received[0]?.content ?? '',
    /Transfer-Encoding: base64\r\n\r\nAAENCv8KDS4NCg==\r\n$/,
  )
})

test('internationalized mail is not sent to a server without SMTPUTF8 (RFC 6531 §3.2)', async t => {
  const old = await setUp(t)
  assert.deepEqual(brief(await old.send({}, 'j\u00f6rg@remote.example', 'eve@remote.example')), [
    'failed 553 5.6.7',
    'delivered 250 2.0.0',
  ])
  assert.deepEqual(brief(await old.send({ smtpUtf8: true })), ['failed 554 5.6.9'])
  assert.deepEqual(brief(await old.send({}, 'eve@b\u00fccher.example')), ['delivered 250 2.0.0'])
  assert.deepEqual(old.remote.received.at(-1)?.rcptLines, ['RCPT TO:<eve@xn--bcher-kva.example>'])
  const modern = await setUp(t, { extensions: ['SMTPUTF8', '8BITMIME'] })
  assert.deepEqual(brief(await modern.send({ smtpUtf8: true }, 'j\u00f6rg@remote.example')), [
    'delivered 250 2.0.0',
  ])
  assert.match(modern.remote.received[0]?.mailLine ?? '', / SMTPUTF8$/)
})

test('DSN parameters are passed on to a server that knows them, and only there (RFC 3461 §5.2.1)', async t => {
  const message = { ret: 'HDRS', envelopeId: 'a=b' } as const
  const recipient = {
    address: 'eve@remote.example',
    notify: 'SUCCESS,FAILURE',
    originalRecipient: 'rfc822;eve@x',
  }
  const able = await setUp(t, { extensions: ['DSN'] })
  assert.equal(
    (await able.send(message, recipient, { address: 'ian@remote.example', notify: '' }))[0]?.hasDsn,
    true,
  )
  assert.equal(able.remote.received[0]?.mailLine, 'MAIL FROM:<ann@example.org> RET=HDRS ENVID=a+3Db')
  assert.deepEqual(able.remote.received[0]?.rcptLines, [
    'RCPT TO:<eve@remote.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;eve@x',
    'RCPT TO:<ian@remote.example> NOTIFY=NEVER',
  ])
  const unable = await setUp(t)
  assert.equal((await unable.send(message, recipient))[0]?.hasDsn, false)
  assert.doesNotMatch(unable.remote.lines.join(), /NOTIFY|ENVID/)
})

test('a message larger than the server takes is not sent', async t => {
  const { remote, send } = await setUp(t, { extensions: ['SIZE 10'] })
  assert.deepEqual(brief(await send()), ['failed 552 5.3.4'])
  assert.ok(!remote.lines.some(line => line.startsWith('MAIL')))
})

test('more recipients than a server must take go in several transactions', async t => {
  const { remote, send } = await setUp(t)
  const to = Array.from({ length: 150 }, (_, i) => `u${i}@remote.example`)
  const verdicts = await send({}, ...to)
  assert.equal(verdicts.filter(({ kind }) => kind === 'delivered').length, 150)
  assert.deepEqual(
    remote.received.map(({ rcptLines }) => rcptLines.length),
    [100, 50],
  )
})

test('an address that could hold a command never reaches the wire', async t => {
  const { remote, send } = await setUp(t)
  await assert.rejects(send({}, 'eve@remote.example>\r\nDATA'))
  await assert.rejects(send({ envelopeId: 'x', mailFrom: 'a\r\n@b' }))
  assert.ok(!remote.lines.some(line => line.startsWith('DATA')))
})

test('one connection carries so many messages and not one more', async t => {
  const { remote, send } = await setUp(t)
  for (let i = 0; i < limits.smtp.messagesPerConnection; i++) await send()
  assert.equal(remote.connections, 1)
  await send()
  assert.equal(remote.connections, 2)
})

test('what is kept of a reply is bounded, on one line and ASCII', async t => {
  const { send } = await setUp(t, {
    mail: `550-${'x'.repeat(limits.smtp.keptReplyBytes)}\r\n550 \u00fc\x1b[31m`,
  })
  const [verdict] = await send()
  assert.equal(verdict?.text, 'x'.repeat(limits.smtp.keptReplyBytes))
  const other = await setUp(t, { mail: '550-a\r\n550 \u00fc\x1b[31m' })
  assert.equal((await other.send())[0]?.text, 'a ?[31m')
})
