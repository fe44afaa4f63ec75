// Python's imaplib, poplib and smtplib, with STARTTLS where the protocol has it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import { password, user } from '../../bench/server.ts'
import { missing, run } from './program.ts'
import { append, login, onlyRestante, startServer } from './server.ts'

const common = `
import os, ssl
account, password = os.environ['ACCOUNT'], os.environ['PASSWORD']
port = int(os.environ['PORT'])
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
`

const imaplibScript = `${common}
import imaplib, time
client = imaplib.IMAP4('127.0.0.1', port)
client.starttls(context)
client.login(account, password)
assert client.create('Papers')[0] == 'OK'
message = b'Subject: from imaplib\\r\\n\\r\\nhello\\r\\n'
assert client.append('Papers', '(\\\\Seen)', imaplib.Time2Internaldate(time.time()), message)[0] == 'OK'
assert client.append('Papers', None, None, message)[0] == 'OK'
assert client.select('Papers') == ('OK', [b'2'])
assert client.search(None, 'SEEN') == ('OK', [b'1'])
assert client.search(None, 'SUBJECT', '"imaplib"') == ('OK', [b'1 2'])
assert client.store('2', '+FLAGS', '(\\\\Flagged keyword)')[0] == 'OK'
assert b'keyword' in client.fetch('2', '(FLAGS)')[1][0]
assert client.copy('1:2', 'INBOX')[0] == 'OK'
assert client.store('1', '+FLAGS.SILENT', '(\\\\Deleted)')[0] == 'OK'
assert client.expunge() == ('OK', [b'1'])
assert client.uid('FETCH', '1:*', '(BODY.PEEK[TEXT])')[1][0][1] == b'hello\\r\\n'
assert client.status('INBOX', '(MESSAGES UNSEEN)')[1][0].endswith(b'(MESSAGES 2 UNSEEN 1)')
assert client.close()[0] == 'OK'
assert client.rename('Papers', '"Old papers"')[0] == 'OK'
assert any(b'Old papers' in line for line in client.list()[1])
client.logout()
print('done')
`

const poplibScript = `${common}
import poplib
client = poplib.POP3('127.0.0.1', port)
assert 'STLS' in client.capa() and 'UIDL' in client.capa()
client.stls(context)
client.user(account)
client.pass_(password)
count, size = client.stat()
assert count == 3, count
assert sum(int(line.split()[1]) for line in client.list()[1]) == size
uids = [line.split()[1] for line in client.uidl()[1]]
assert len(set(uids)) == 3
assert client.top(1, 0)[1][-1] == b''
client.dele(2)
client.rset()
client.dele(1)
client.quit()
client = poplib.POP3_SSL('127.0.0.1', int(os.environ['TLS_PORT']), context=context)
client.user(account)
client.pass_(password)
assert [line.split()[1] for line in client.uidl()[1]] == uids[1:]
client.quit()
print('done')
`

const smtplibScript = `${common}
import smtplib
from email.message import EmailMessage
message = EmailMessage()
message['From'] = account
message['To'] = os.environ['TO']
message['Subject'] = 'Größe from smtplib'
message.set_content('a line\\n.\\n..two dots\\nend\\n')
message.add_attachment(bytes(range(256)), maintype='application', subtype='octet-stream', filename='bytes.bin')
with smtplib.SMTP('127.0.0.1', port) as client:
    client.starttls(context=context)
    client.login(account, password)
    assert client.send_message(message) == {}
    try:
        client.sendmail(account, ['nobody.here@bench.test'], 'Subject: x\\r\\n\\r\\n')
        raise SystemExit('an unknown recipient was accepted')
    except smtplib.SMTPRecipientsRefused as refused:
        assert refused.recipients['nobody.here@bench.test'][0] == 550
with smtplib.SMTP_SSL('127.0.0.1', int(os.environ['TLS_PORT']), context=context) as client:
    client.login(account, password)
    assert client.send_message(message) == {}
print('done')
`

const lmtpScript = `${common}
import smtplib
client = smtplib.LMTP('127.0.0.1', port)
assert client.sendmail('sender@example.net', [account], 'Subject: by LMTP\\r\\n\\r\\n.dot\\r\\n') == {}
client.quit()
print('done')
`

test('Python', { skip: missing('python3', 'python3') }, async context => {
  const server = await startServer(context)
  const python = async (
    script: string,
    account: number,
    env: Record<string, string | number | undefined>,
  ) => {
    const all = { ACCOUNT: user(account), PASSWORD: password, ...env }
    const text = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)]))
    const printed = await run('python3', ['-c', script], { env: text })
    assert.equal(printed.toString('utf8').trim(), 'done')
  }

  await context.test('imaplib appends, searches, flags, copies, expunges and renames', () =>
    python(imaplibScript, 0, { PORT: server.ports.imap }),
  )

  await context.test('poplib lists, retrieves and deletes at QUIT only', async () => {
    await append(server, 1, 'INBOX', [1, 2, 3].map(smallMessage))
    await python(poplibScript, 1, { PORT: server.ports.pop3, TLS_PORT: server.ports.pop3s })
  })

  await context.test('smtplib delivers by LMTP', async () => {
    await python(lmtpScript, 2, { PORT: server.ports.lmtp })
    const client = await login(server, 2)
    await client.run('SELECT INBOX')
    const { bytes } = await client.run('FETCH 1 (BODY.PEEK[TEXT])')
    assert.ok(bytes.includes('{6}\r\n.dot\r\n'))
    await client.logout()
  })

  await context.test('smtplib submits with STARTTLS and over TLS', { skip: onlyRestante }, async () => {
    const { submission, submissions } = server.ports
    await python(smtplibScript, 3, { PORT: submission, TLS_PORT: submissions, TO: user(4) })
    const client = await login(server, 4)
    const { bytes } = await client.run('SELECT INBOX')
    assert.ok(bytes.includes('* 2 EXISTS'))
    assert.ok(
      (await client.run('FETCH 1:2 (BODY.PEEK[1])')).bytes.includes('a line\r\n.\r\n..two dots\r\nend\r\n'),
    )
    await client.logout()
  })
})
