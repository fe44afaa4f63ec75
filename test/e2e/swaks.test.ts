// swaks: SMTP, submission and LMTP sessions with TLS, each log-in mechanism it knows, and refusals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { password, user } from '../../bench/server.ts'
import { attempt, missing } from './program.ts'
import { login, onlyRestante, startServer } from './server.ts'

const hasTls =
  missing('swaks', 'swaks') === false &&
  /TLS supported/.test((await attempt('swaks', ['--support'])).stdout.toString())
const onlyWithTls =
  onlyRestante || (hasTls ? false : 'swaks has no TLS here: apt-get install libnet-ssleay-perl')

test('swaks', { skip: missing('swaks', 'swaks') }, async context => {
  const server = await startServer(context)
  const swaks = async (port: number | undefined, ...args: string[]) => {
    const envelope = ['--server', `127.0.0.1:${port}`, '--from', user(0), '--helo', 'client.test']
    const { code, stdout } = await attempt('swaks', [...envelope, ...args])
    return { code, transcript: stdout.toString('utf8') }
  }
  const succeeds = async (port: number | undefined, ...args: string[]) => {
    const { code, transcript } = await swaks(port, ...args)
    assert.equal(code, 0, transcript)
  }

  await context.test('delivers by LMTP to two recipients', async () => {
    await succeeds(server.ports.lmtp, '--protocol', 'LMTP', '--to', `${user(1)},${user(2)}`)
    for (const account of [1, 2]) {
      const client = await login(server, account)
      assert.ok((await client.run('SELECT INBOX')).bytes.includes('* 1 EXISTS'))
      await client.logout()
    }
  })

  await context.test('delivers by SMTP, also pipelined', { skip: onlyRestante }, async () => {
    await succeeds(server.ports.smtp, '--to', user(3))
    await succeeds(server.ports.smtp, '--to', user(3), '--pipeline')
    const client = await login(server, 3)
    assert.ok((await client.run('SELECT INBOX')).bytes.includes('* 2 EXISTS'))
    await client.logout()
  })

  for (const mechanism of ['PLAIN', 'LOGIN']) {
    await context.test(`logs in by ${mechanism}`, { skip: onlyRestante }, async () => {
      const auth = ['--auth', mechanism, '--auth-user', user(0), '--auth-password', password]
      await succeeds(server.ports.submission, ...auth, '--to', user(4))
    })

    await context.test(
      `logs in by ${mechanism} with STARTTLS and over TLS`,
      { skip: onlyWithTls },
      async () => {
        const auth = ['--auth', mechanism, '--auth-user', user(0), '--auth-password', password]
        await succeeds(server.ports.submission, '-tls', ...auth, '--to', user(4))
        await succeeds(server.ports.submissions, '-tlsc', ...auth, '--to', user(4))
      },
    )
  }

  await context.test(
    'is told of a wrong password, an unknown recipient and no relaying',
    { skip: onlyRestante },
    async () => {
      const wrong = await swaks(
        server.ports.submission,
        '--auth',
        'PLAIN',
        '--auth-user',
        user(0),
        '--auth-password',
        'no',
        '--to',
        user(4),
      )
      assert.match(wrong.transcript, /535 5\.7\.8/)
      assert.equal(wrong.code, 28)
      const unknown = await swaks(server.ports.smtp, '--to', 'nobody.here@bench.test')
      assert.match(unknown.transcript, /550 5\.1\.1/)
      const relay = await swaks(server.ports.smtp, '--to', 'someone@elsewhere.example')
      assert.match(relay.transcript, /55\d 5\.7\./)
    },
  )
})
