// mutt, in a terminal of its own: copies a mailbox over IMAP, deletes a message, comes back to its header cache by QRESYNC, and sends one with an attachment.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import { password, user } from '../../bench/server.ts'
import { missing, run, scratch } from './program.ts'
import { append, login, onlyRestante, startServer } from './server.ts'

const skip = missing('mutt', 'mutt') || missing('script', 'bsdutils')

test('mutt', { skip }, async context => {
  const server = await startServer(context)
  const folder = scratch(context)
  writeFileSync(
    join(folder, 'muttrc'),
    `set imap_user="${user(0)}" imap_pass="${password}" smtp_pass="${password}"
set ssl_starttls=no ssl_force_tls=no ssl_verify_host=no ssl_verify_dates=no
set from="${user(0)}" use_envelope_from=yes copy=no mbox_type=mbox confirmappend=no confirmcreate=no delete=yes move=no wait_key=no
set header_cache="" message_cachedir="" quit=yes
`,
  )
  const env = { HOME: folder, TERM: 'vt100', LINES: '40', COLUMNS: '120' }

  await context.test('copies a mailbox and deletes a message', async () => {
    await append(server, 0, 'INBOX', [0, 1, 2].map(smallMessage))
    const copies = [1, 2, 3].map(at => `<jump>${at}<enter><copy-message>${folder}/copy<enter>`).join('')
    const keys = `${copies}<first-entry><delete-message><quit>`
    const command = `mutt -n -F ${folder}/muttrc -f imap://127.0.0.1:${server.ports.imap}/INBOX -e 'push "${keys}"'`
    await run('script', ['-qec', command, '/dev/null'], { env, timeoutMs: 30_000 })
    const copied = readFileSync(join(folder, 'copy'), 'utf8')
    assert.equal(copied.match(/^From /gm)?.length, 3)
    for (const number of [0, 1, 2]) {
      const id = /^Message-ID: .*$/m.exec(smallMessage(number).toString())?.[0] ?? 'none'
      assert.ok(copied.includes(id))
    }
    const client = await login(server, 0)
    assert.ok((await client.run('SELECT INBOX')).bytes.includes('* 2 EXISTS'))
    await client.logout()
  })

  await context.test('flags, files, searches, and resynchronises its header cache by QRESYNC', async () => {
    await append(server, 2, 'Kept', [])
    await append(server, 2, 'INBOX', [0, 1, 2, 3].map(smallMessage))
    mkdirSync(join(folder, 'cache'))
    writeFileSync(
      join(folder, 'cached'),
      readFileSync(join(folder, 'muttrc'), 'utf8').replaceAll(user(0), user(2)) +
        `set header_cache="${folder}/cache" imap_condstore=yes imap_qresync=yes imap_check_subscribed=no folder="imap://127.0.0.1:${server.ports.imap}/"\n`,
    )
    const press = async (keys: string) => {
      const command = `mutt -n -F ${folder}/cached -f imap://127.0.0.1:${server.ports.imap}/INBOX -e 'push "${keys}"'`
      await run('script', ['-qec', command, '/dev/null'], { env, timeoutMs: 60_000 })
    }
    await press('<jump>2<enter><flag-message><jump>3<enter><copy-message>=Kept<enter><sync-mailbox><quit>')
    const client = await login(server, 2)
    assert.ok((await client.run('SELECT Kept')).bytes.includes('* 1 EXISTS'))
    await client.run('SELECT INBOX')
    assert.ok((await client.run('SEARCH FLAGGED')).bytes.includes('* SEARCH 2\r\n'))

    // What another client does meanwhile is what QRESYNC has to tell.
    await client.run('STORE 1 +FLAGS.SILENT (\\Deleted)')
    await client.run('EXPUNGE')
    await client.append('INBOX', [smallMessage(4)])
    const subject = /^Subject: (.*)\r$/m.exec(smallMessage(4).toString())?.[1]?.split(' ')[0] ?? 'none'
    await press(
      `<limit>~s ${subject}<enter><tag-pattern>~A<enter><tag-prefix><copy-message>${folder}/found<enter><quit>`,
    )
    const found = readFileSync(join(folder, 'found'), 'utf8')
    const id = /^Message-ID: .*$/m.exec(smallMessage(4).toString())?.[0] ?? 'none'
    assert.ok(found.includes(id))
    const first = /^Message-ID: .*$/m.exec(smallMessage(0).toString())?.[0] ?? 'none'
    assert.ok(!found.includes(first))
    await press(`<tag-pattern>~A<enter><tag-prefix><copy-message>${folder}/all<enter><quit>`)
    assert.equal(readFileSync(join(folder, 'all'), 'utf8').match(/^From /gm)?.length, 4)
    await client.logout()
  })

  await context.test('sends with an attachment', { skip: onlyRestante }, async () => {
    writeFileSync(join(folder, 'attached.bin'), Buffer.from(Array.from({ length: 256 }, (_, at) => at)))
    const smtp = `set smtp_url="smtp://${user(0).replace('@', '%40')}@127.0.0.1:${server.ports.submission}" ssl_force_tls=no smtp_authenticators="plain"`
    await run(
      'mutt',
      [
        '-n',
        '-F',
        join(folder, 'muttrc'),
        '-e',
        smtp,
        '-s',
        'Grüße',
        '-a',
        join(folder, 'attached.bin'),
        '--',
        user(1),
      ],
      { env: { ...env, LANG: 'C.UTF-8' }, input: 'a body\n' },
    )
    const client = await login(server, 1)
    assert.ok((await client.run('SELECT INBOX')).bytes.includes('* 1 EXISTS'))
    assert.match((await client.run('FETCH 1 (BODYSTRUCTURE)')).bytes.toString(), /attached\.bin/)
    await client.logout()
  })
})
