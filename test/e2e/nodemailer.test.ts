// nodemailer submits with STARTTLS and over TLS, delivers by LMTP, and is told what is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { type Server, password, user } from '../../bench/server.ts'
import { login, onlyRestante, startServer } from './server.ts'

const bytes = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7) % 256))

test('nodemailer', async context => {
  const server = await startServer(context)
  const tls = { rejectUnauthorized: false }
  const auth = { user: user(0), pass: password }
  const message = {
    from: `Größe <${user(0)}>`,
    to: user(1),
    subject: 'ÄÖÜ from nodemailer 日本',
    text: '.\n..\nplain\n',
    html: '<p>HTML</p>',
    attachments: [{ filename: 'bytes.bin', content: bytes }],
  }

  await context.test('delivers by LMTP', async () => {
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.ports.lmtp,
      lmtp: true,
      tls,
      ignoreTLS: true,
    })
    const sent = await transport.sendMail({ ...message, to: user(2) })
    assert.deepEqual(sent.accepted, [user(2)])
    transport.close()
    await assertAttached(server, 2, 1)
  })

  for (const secure of [false, true]) {
    await context.test(
      `submits ${secure ? 'over TLS' : 'with STARTTLS'}`,
      { skip: onlyRestante },
      async () => {
        const port = secure ? server.ports.submissions : server.ports.submission
        const transport = createTransport({
          host: '127.0.0.1',
          port: port ?? 0,
          secure,
          requireTLS: !secure,
          tls,
          auth,
        })
        const sent = await transport.sendMail(message)
        assert.deepEqual(sent.accepted, [user(1)])
        transport.close()
        await assertAttached(server, 1, secure ? 2 : 1)
      },
    )
  }

  await context.test('is refused with a wrong password and without one', { skip: onlyRestante }, async () => {
    const options = { host: '127.0.0.1', port: server.ports.submission ?? 0, requireTLS: true, tls }
    const wrong = createTransport({ ...options, auth: { user: user(0), pass: 'wrong' } })
    await assert.rejects(wrong.sendMail(message), { code: 'EAUTH', responseCode: 535 })
    const none = createTransport(options)
    await assert.rejects(none.sendMail(message), { code: 'EENVELOPE', responseCode: 530 })
    wrong.close()
    none.close()
  })

  await context.test('cannot relay from outside', { skip: onlyRestante }, async () => {
    const transport = createTransport({ host: '127.0.0.1', port: server.ports.smtp ?? 0, tls })
    await assert.rejects(transport.sendMail({ ...message, to: 'someone@elsewhere.example' }), {
      code: 'EENVELOPE',
    })
    transport.close()
  })
})

/** The account's INBOX has this many messages, and the last one's attachment is what was sent. */
async function assertAttached(server: Server, account: number, count: number): Promise<void> {
  const client = await login(server, account)
  const selected = await client.run('SELECT INBOX')
  assert.ok(selected.bytes.includes(`* ${count} EXISTS`), selected.bytes.toString())
  const answer = (await client.run(`FETCH ${count} (BODY.PEEK[2])`)).bytes.toString('latin1')
  const from = answer.indexOf('}\r\n') + 3
  const encoded = answer.slice(from, answer.indexOf(')\r\n', from))
  assert.deepEqual(Buffer.from(encoded, 'base64'), bytes)
  await client.logout()
}
