// fetchmail empties a maildrop: what it has delivered is gone from the server, and the next poll finds nothing.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import { password, user } from '../../bench/server.ts'
import { attempt, missing, scratch } from './program.ts'
import { append, login, startServer } from './server.ts'

test('fetchmail', { skip: missing('fetchmail', 'fetchmail') }, async context => {
  const server = await startServer(context)
  for (const [account, protocol] of (['pop3', 'imap'] as const).entries()) {
    await context.test(`over ${protocol} with STARTTLS deletes what it delivered`, async inner => {
      const folder = scratch(inner)
      await append(server, account, 'INBOX', [0, 1, 2].map(smallMessage))
      writeFileSync(
        join(folder, 'rc'),
        `poll 127.0.0.1 service ${server.ports[protocol]} protocol ${protocol} username "${user(account)}" password "${password}" is root here
nokeep sslproto 'auto' no sslcertck mda "cat >> ${folder}/mbox"
`,
        { mode: 0o600 },
      )
      const poll = () =>
        attempt('fetchmail', ['-f', 'rc', '--pidfile', join(folder, 'pid'), '-i', join(folder, 'ids')], {
          cwd: folder,
          env: { FETCHMAILHOME: folder, HOME: folder },
        })
      const first = await poll()
      assert.equal(first.code, 0, first.stderr)
      // Exit code 1: there was no mail (fetchmail(1)).
      const second = await poll()
      assert.equal(second.code, 1, second.stderr)
      const client = await login(server, account)
      assert.ok((await client.run('SELECT INBOX')).bytes.includes('* 0 EXISTS'))
      await client.logout()
    })
  }
})
