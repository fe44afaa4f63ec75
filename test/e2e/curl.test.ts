// curl: sends by SMTP, uploads by IMAP, lists and searches, with STARTTLS and over TLS.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realisticMessage } from '../../bench/messages.ts'
import { password, user } from '../../bench/server.ts'
import { asData, withoutTrace } from './mail.ts'
import { missing, run, scratch } from './program.ts'
import { onlyRestante, startServer } from './server.ts'

test('curl', { skip: missing('curl', 'curl') }, async context => {
  const server = await startServer(context)
  const folder = scratch(context)
  const file = join(folder, 'message.eml')
  // Without trace fields: submission takes a Return-Path away (RFC 5321 §4.4).
  const whole = asData(realisticMessage(4))
  const message = whole.subarray(whole.indexOf('Date: '))
  writeFileSync(file, message)
  const curl = (account: number, ...args: string[]) =>
    run('curl', ['-sS', '-k', '--user', `${user(account)}:${password}`, ...args])
  const imap = `imap://127.0.0.1:${server.ports.imap}`

  await context.test('uploads by IMAP and downloads the same', async () => {
    await curl(0, '--ssl-reqd', '-T', file, `${imap}/INBOX`)
    assert.deepEqual(await curl(0, '--ssl-reqd', `${imap}/INBOX;UID=1`), message)
    assert.deepEqual(await curl(0, `imaps://127.0.0.1:${server.ports.imaps}/INBOX;MAILINDEX=1`), message)
  })

  await context.test('lists, examines, searches and fetches a section', async () => {
    assert.match((await curl(0, imap)).toString(), /^\* LIST \([^)]*\) "\/" "?INBOX"?/m)
    assert.match((await curl(0, `${imap}/INBOX`, '-X', 'EXAMINE INBOX')).toString(), /\* 1 EXISTS/)
    assert.match((await curl(0, `${imap}/INBOX?ALL`)).toString(), /^\* SEARCH 1\r?$/m)
    assert.match(
      (await curl(0, `${imap}/INBOX;UID=1;SECTION=HEADER.FIELDS%20(SUBJECT)`)).toString(),
      /^Subject: .+\r\n\r\n$/,
    )
  })

  await context.test('lists and downloads by POP3, with STLS and over TLS', async () => {
    const pop3 = `pop3://127.0.0.1:${server.ports.pop3}`
    assert.match(
      (await curl(0, '--ssl-reqd', `${pop3}/`)).toString(),
      new RegExp(`^1 ${message.length}\r?$`, 'm'),
    )
    assert.deepEqual(await curl(0, '--ssl-reqd', `${pop3}/1`), message)
    assert.deepEqual(await curl(0, `pop3s://127.0.0.1:${server.ports.pop3s}/1`), message)
  })

  await context.test(
    'sends by SMTP to a local account, and by submission',
    { skip: onlyRestante },
    async () => {
      const { smtp, submission, submissions } = server.ports
      const envelope = ['--mail-from', user(2), '--mail-rcpt', user(1), '-T', file]
      await run('curl', ['-sS', '-k', ...envelope, `smtp://127.0.0.1:${smtp}/client.test`])
      await curl(2, ...envelope, '--ssl-reqd', `smtp://127.0.0.1:${submission}/client.test`)
      await curl(2, ...envelope, `smtps://127.0.0.1:${submissions}/client.test`)
      for (const uid of [1, 2, 3]) {
        const delivered = await curl(1, `${imap}/INBOX;UID=${uid}`)
        assert.deepEqual(withoutTrace(delivered, message), message)
      }
    },
  )
})
