// Real programs against the server.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import nodemailer from 'nodemailer'
import { listQueue } from '../../src/store/read/queue.ts'
import { openServer, password } from './smtp-server.ts'

const run = promisify(execFile)

/** Whether a program is there; skips the test with a clear word if not. */
async function has(t: TestContext, program: string, ...args: string[]): Promise<boolean> {
  try {
    await run(program, args)
    return true
  } catch {
    t.skip(`${program} is not here`)
    return false
  }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'smtp-programs-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('nodemailer submits with STARTTLS and a log-in, attachments and all', async t => {
  const server = await openServer(t)
  const { port } = await server.open('submission')
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'ann@example.org', pass: password },
  })
  const attachment = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) & 0xff))
  const sent = await transport.sendMail({
    from: 'Ann <ann@example.org>',
    to: ['bob@example.org', 'eve@example.net'],
    bcc: 'ann@example.org',
    subject: 'Gr\u00fc\u00dfe',
    text: '.\n..\nline',
    attachments: [{ filename: 'a.bin', content: attachment }],
  })
  transport.close()
  assert.deepEqual(sent.accepted, ['bob@example.org', 'eve@example.net', 'ann@example.org'])
  const [message = ''] = await server.messages(server.bob)
  assert.ok(message.replaceAll('\r\n', '').includes(attachment.toString('base64')))
  assert.doesNotMatch(message, /^Bcc:/im)
  assert.equal((await listQueue(server.store.reader)).length, 1)
})

test('nodemailer speaks LMTP', async t => {
  const server = await openServer(t)
  const { port } = await server.open('lmtp')
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, lmtp: true, ignoreTLS: true })
  const sent = await transport.sendMail({
    from: 'eve@example.net',
    to: ['ann@example.org', 'bob@example.org'],
    text: 'x',
  })
  transport.close()
  assert.equal(sent.accepted.length, 2)
  assert.equal((await server.messages(server.bob)).length, 1)
})

const pythonProgram = `
import smtplib, ssl, sys
from email.message import EmailMessage
port, secure_port = int(sys.argv[1]), int(sys.argv[2])
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
message = EmailMessage(); message['From'] = 'ann@example.org'; message['To'] = 'bob@example.org'; message['Subject'] = 'from Python'
message.set_content('.dot\\n')
with smtplib.SMTP('127.0.0.1', port) as smtp:
    smtp.starttls(context=context); smtp.login('ann@example.org', 'correct horse'); smtp.send_message(message)
    try: smtp.sendmail('ann@example.org', ['nobody@example.org'], 'x')
    except smtplib.SMTPRecipientsRefused as refused: print(refused.recipients['nobody@example.org'][0])
with smtplib.SMTP_SSL('127.0.0.1', secure_port, context=context) as smtp:
    for mechanism in ('PLAIN', 'LOGIN'):
        smtp.ehlo(); smtp.user, smtp.password = 'ann@example.org', 'correct horse'
        smtp.auth(mechanism, getattr(smtp, 'auth_' + mechanism.lower())); break
    smtp.send_message(message)
    print(smtp.verify('bob')[0], smtp.noop()[0])
`

test('Python smtplib submits by STARTTLS and by implicit TLS', async t => {
  if (!(await has(t, 'python3', '--version'))) return
  const server = await openServer(t)
  const submission = await server.open('submission')
  const { tls } = server.context
  const submissions = await server.open('submission', tls ? { implicitTls: tls } : {})
  const { stdout } = await run('python3', [
    '-c',
    pythonProgram,
    String(submission.port),
    String(submissions.port),
  ])
  assert.equal(stdout, '550\n252 250\n')
  const messages = await server.messages(server.bob)
  assert.equal(messages.length, 2)
  for (const message of messages) assert.match(message, / with ESMTPSA [^]*\r\n\.dot\r\n$/)
})

test('curl sends to the receiving port and submits', async t => {
  if (!(await has(t, 'curl', '--version'))) return
  const server = await openServer(t)
  const file = join(folder(t), 'message.eml')
  writeFileSync(file, 'From: <eve@example.net>\r\nSubject: from curl\r\n\r\n.\r\nline\r\n')
  const smtp = await server.open('smtp')
  await run('curl', [
    '-sS',
    `smtp://127.0.0.1:${smtp.port}/client`,
    '--mail-from',
    'eve@example.net',
    '--mail-rcpt',
    'ann@example.org',
    '-T',
    file,
  ])
  assert.match((await server.messages(server.ann))[0] ?? '', /Subject: from curl\r\n\r\n\.\r\nline\r\n$/)
  const submission = await server.open('submission')
  await run('curl', [
    '-sS',
    '-k',
    '--ssl-reqd',
    `smtp://127.0.0.1:${submission.port}/client`,
    '-u',
    `ann@example.org:${password}`,
    '--mail-from',
    'ann@example.org',
    '--mail-rcpt',
    'bob@example.org',
    '-T',
    file,
  ])
  assert.equal((await server.messages(server.bob)).length, 1)
  await assert.rejects(
    run('curl', [
      '-sS',
      `smtp://127.0.0.1:${smtp.port}/client`,
      '--mail-from',
      'a@b',
      '--mail-rcpt',
      'eve@example.net',
      '-T',
      file,
    ]),
  )
})

test('swaks sends, with pipelining, TLS and a log-in', async t => {
  if (!(await has(t, 'swaks', '--version'))) return
  const server = await openServer(t)
  const submission = await server.open('submission')
  const { stdout } = await run('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    String(submission.port),
    '-tls',
    '--auth',
    'PLAIN',
    '--auth-user',
    'ann@example.org',
    '--auth-password',
    password,
    '--from',
    'ann@example.org',
    '--to',
    'bob@example.org',
    '--pipeline',
  ])
  assert.match(stdout, /250 2\.0\.0 Taken as /)
  const lmtp = await server.open('lmtp')
  await run('swaks', [
    '--server',
    '127.0.0.1',
    '--port',
    String(lmtp.port),
    '--protocol',
    'LMTP',
    '--from',
    'eve@example.net',
    '--to',
    'ann@example.org,bob@example.org',
  ])
  assert.equal((await server.messages(server.bob)).length, 2)
})
