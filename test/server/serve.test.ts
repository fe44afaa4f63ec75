import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { ensureSelfSigned } from '../../src/net/self-signed.ts'
import { LineClient, sendMail } from '../library/client.ts'
import { run, ServerProcess } from './start-server.ts'

const canary = 'canary-4711-password'
const bodyCanary = 'canary-0815-body'

test('a server starts on free ports, tells them, serves, and ends on SIGTERM with a goodbye', async context => {
  const server = await ServerProcess.start(context, { doors: ['imap', 'pop3', 'smtp', 'http'] })
  const imap = await LineClient.connect(server.port('imap'))
  const pop3 = await LineClient.connect(server.port('pop3'))
  const smtp = await LineClient.connect(server.port('smtp'))
  await imap.until(/^\* OK.*\r\n/)
  await pop3.until(/^\+OK.*\r\n/)
  await smtp.until(/^220.*\r\n/)
  server.kill('SIGTERM')
  assert.match(await imap.untilEnd(), /^\* BYE/)
  assert.match(await pop3.untilEnd(), /^-ERR/)
  assert.match(await smtp.untilEnd(), /^421/)
  assert.equal((await server.ran).code, 0)
  assert.equal(existsSync(join(server.dataDir, 'control.sock')), false)
})

test('a command changes the store of a running server', async context => {
  const server = await ServerProcess.start(context)
  const added = await run(
    ['account', 'add', 'ann@example.org', '--password-stdin', '--data', server.dataDir],
    { stdin: 'secret-pass\n' },
  )
  assert.equal(added.code, 0, added.err)
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  // A name without a domain is one of the first domain, though it came after the start.
  client.send('a LOGIN ann secret-pass\r\n')
  await client.until(/^a OK.*\r\n/m)
  const changed = await run(['account', 'passwd', 'ann', '--password-stdin', '--data', server.dataDir], {
    stdin: 'another-pass',
  })
  assert.equal(changed.code, 0, changed.err)
  client.end()
  const again = await LineClient.connect(server.port('imap'))
  await again.until(/^\* OK.*\r\n/)
  again.send('a LOGIN ann secret-pass\r\nb LOGIN ann another-pass\r\n')
  assert.match(await again.until(/^b OK.*\r\n/m), /^a NO/m)
  again.end()
})

test('health, metrics and the page with the settings are served', async context => {
  const server = await ServerProcess.start(context, { doors: ['imap', 'imaps', 'submissions', 'http'] })
  assert.deepEqual(await server.get('/healthz'), { status: 200, body: 'ok\n' })
  const ready = await server.get('/readyz')
  assert.equal(ready.status, 200)
  assert.deepEqual(JSON.parse(ready.body), {
    ready: true,
    checks: { threads: 'ok', queue: 'ok', store: 'ok', certificates: 'ok', stopping: 'ok' },
  })
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  const metrics = await server.get('/metrics')
  assert.match(metrics.body, /^restante_sessions_total\{protocol="imap"\} 1$/m)
  assert.match(metrics.body, /^restante_connections\{door="imap"\} 1$/m)
  assert.match(metrics.body, /^restante_process_resident_memory_bytes \d+$/m)
  client.end()
  const page = await server.get('/')
  assert.match(page.body, new RegExp(`<td>${server.port('imaps')}</td><td>TLS</td>`))
  assert.equal((await server.get('/nothing')).status, 404)
  assert.equal((await fetch(`http://127.0.0.1:${server.port('http')}/`, { method: 'POST' })).status, 405)
})

test('SIGHUP reads the log level again', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-reload-'))
  const file = join(folder, 'restante.toml')
  writeFileSync(file, '[log]\nlevel = "info"\n')
  const server = await ServerProcess.start(context, { args: ['--config', file] })
  writeFileSync(file, '[log]\nlevel = "debug"\n')
  server.kill('SIGHUP')
  assert.equal((await server.logged('reloaded'))['logLevel'], 'debug')
  writeFileSync(file, '[log]\nlevel = "loud"\n')
  server.kill('SIGHUP')
  await server.logged('reload failed; what was in use stays')
  assert.equal((await server.get('/healthz')).status, 200)
})

test('a second server on the same store is refused, and says who has it', async context => {
  const server = await ServerProcess.start(context)
  const { code, err } = await run(['serve', '--data', server.dataDir, '--listen', 'imap=127.0.0.1:0'])
  assert.equal(code, 1)
  assert.match(err, new RegExp(`the store at ${server.dataDir} is in use by process ${server.child.pid}`))
})

test('a port that another program holds is named, with what to do', async context => {
  const other = createServer().listen(0, '127.0.0.1')
  context.after(() => other.close())
  await new Promise(resolve => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const folder = mkdtempSync(join(tmpdir(), 'restante-port-'))
  const { code, err } = await run(['serve', '--data', folder, '--listen', `imap=127.0.0.1:${port}`])
  assert.equal(code, 1)
  assert.match(err, new RegExp(`imap cannot listen on 127\\.0\\.0\\.1:${port}: another program holds it`))
})

test('the same holds for two servers of one user, which could share a port unseen', async context => {
  const server = await ServerProcess.start(context)
  const folder = mkdtempSync(join(tmpdir(), 'restante-port-'))
  const { code, err } = await run([
    'serve',
    '--data',
    folder,
    '--listen',
    `imap=127.0.0.1:${server.port('imap')}`,
  ])
  assert.equal(code, 1)
  assert.match(err, /another program holds it/)
})

test('without threads everything runs in one', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-threads-'))
  const file = join(folder, 'restante.toml')
  writeFileSync(file, 'threads = 0\n')
  const server = await ServerProcess.start(context, {
    args: ['--config', file],
    dataDir: join(folder, 'data'),
  })
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  assert.equal((await server.get('/readyz')).status, 200)
  server.kill('SIGINT')
  assert.match(await client.untilEnd(), /^\* BYE/)
  assert.equal((await server.ran).code, 0)
})

test('the data folder and what is in it are closed to others', {
  skip: process.platform === 'win32',
}, async context => {
  const server = await ServerProcess.start(context)
  for (const name of ['', 'control.sock', 'tls', 'tls/self-signed.pem', 'segments']) {
    assert.equal(statSync(join(server.dataDir, name)).mode & 0o077, 0, name)
  }
})

test('a password and a body never reach the log, at any level', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-canary-'))
  const file = join(folder, 'restante.toml')
  writeFileSync(file, '[log]\nlevel = "debug"\n')
  const dataDir = join(folder, 'data')
  await run(['account', 'add', 'ann@example.org', '--password-stdin', '--data', dataDir], { stdin: canary })
  const server = await ServerProcess.start(context, {
    args: ['--config', file],
    dataDir,
    doors: ['imap', 'pop3', 'smtp', 'submission', 'lmtp', 'http'],
  })
  const encoded = Buffer.from(`\0ann@example.org\0${canary}`).toString('base64')
  const imap = await LineClient.connect(server.port('imap'))
  await imap.until(/^\* OK.*\r\n/)
  imap.send(`a LOGIN ann ${canary}x\r\nb LOGIN ${canary} ${canary}\r\nc AUTHENTICATE PLAIN ${encoded}\r\n`)
  await imap.until(/^c OK.*\r\n/m)
  imap.send(`d ${canary} ${canary}\r\ne APPEND INBOX {${bodyCanary.length}}\r\n`)
  await imap.until(/^\+.*\r\n/m)
  imap.send(`${bodyCanary}\r\nf FETCH 1:* BODY[]\r\ng SELECT INBOX\r\nh FETCH 1:* BODY[]\r\n`)
  await imap.until(/^h OK.*\r\n/m)
  imap.end()
  const pop3 = await LineClient.connect(server.port('pop3'))
  await pop3.until(/^\+OK.*\r\n/)
  pop3.send(`USER ann\r\nPASS ${canary}y\r\nUSER ann\r\nPASS ${canary}\r\n${canary}\r\nRETR 1\r\nQUIT\r\n`)
  await pop3.untilEnd()
  const submission = await LineClient.connect(server.port('submission'))
  await submission.until(/^220.*\r\n/m)
  submission.send(
    `EHLO x\r\nAUTH PLAIN ${Buffer.from(`\0ann\0${canary}z`).toString('base64')}\r\nAUTH PLAIN ${encoded}\r\n${canary}\r\nQUIT\r\n`,
  )
  await submission.untilEnd()
  await sendMail(server.port('smtp'), 'x@example.net', 'ann@example.org', `Subject: x\n\n${bodyCanary}`)
  await sendMail(server.port('smtp'), 'x@example.net', 'nobody@example.org', `Subject: x\n\n${bodyCanary}`)
  const { body } = await server.get('/metrics')
  server.kill('SIGTERM')
  const { out, err } = await server.ran
  assert.ok(server.log.length > 5)
  for (const text of [out, err, body]) {
    for (const secret of [canary, bodyCanary, encoded]) assert.ok(!text.includes(secret))
  }
  assert.ok(readFileSync(join(dataDir, 'store.db')).length > 0)
})

test('systemd is told when the server is ready and when it stops', {
  skip: process.platform !== 'linux',
}, async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-notify-'))
  const told = join(folder, 'told')
  writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$NOTIFY_SOCKET $@" >> ${told}\n`, {
    mode: 0o755,
  })
  const server = await ServerProcess.start(context, {
    env: { NOTIFY_SOCKET: '/run/x', PATH: `${folder}:${process.env['PATH']}` },
  })
  server.kill('SIGTERM')
  await server.ran
  const lines = readFileSync(told, 'utf8').trim().split('\n')
  assert.deepEqual(lines, [
    `/run/x --pid=${server.child.pid} READY=1`,
    `/run/x --pid=${server.child.pid} STOPPING=1`,
  ])
})

test('a certificate that was replaced is served after SIGHUP, in every thread', async context => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-certificates-'))
  const [first, second] = await Promise.all(
    ['one', 'two'].map(async name => {
      const { certFile } = await ensureSelfSigned({
        folder: join(folder, name),
        names: [`${name}.example`],
        now: Date.now,
      })
      return readFileSync(certFile)
    }),
  )
  assert.ok(first && second)
  const pem = join(folder, 'served.pem')
  writeFileSync(pem, first)
  const file = join(folder, 'restante.toml')
  writeFileSync(
    file,
    `threads = 2\n[tls]\ncertificates = [{ certFile = "served.pem", keyFile = "served.pem" }]\n`,
  )
  const server = await ServerProcess.start(context, { args: ['--config', file], doors: ['imaps'] })
  assert.deepEqual(await servedNames(server.port('imaps')), ['one.example'])
  writeFileSync(pem, second)
  server.kill('SIGHUP')
  await server.logged('reloaded')
  // Each thread loads it by itself, a moment later.
  while ((await servedNames(server.port('imaps'))).some(name => name !== 'two.example'));
  writeFileSync(pem, 'no certificate')
  server.kill('SIGHUP')
  await server.logged('reload failed; what was in use stays')
  assert.deepEqual(await servedNames(server.port('imaps')), ['two.example'])
})

/** The names of the certificates that several connections are shown. */
async function servedNames(port: number): Promise<readonly string[]> {
  const names = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
      await new Promise((resolve, reject) => {
        socket.once('secureConnect', resolve)
        socket.once('error', reject)
      })
      const name = socket.getPeerX509Certificate()?.subject ?? ''
      socket.destroy()
      return name.replace('CN=', '')
    }),
  )
  return [...new Set(names)]
}

test('a load balancer hears that the server is about to stop while that still takes connections', async context => {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-serve-'))
  const file = join(dataDir, 'restante.toml')
  writeFileSync(file, '[stop]\nunreadyMs = 600000\n')
  const server = await ServerProcess.start(context, { dataDir, args: ['--config', file] })
  server.kill('SIGTERM')
  await server.logged('stopping')
  const { status, body } = await server.get('/readyz')
  assert.equal(status, 503)
  assert.match(body, /"stopping":"stopping"/)
  assert.equal((await server.get('/healthz')).status, 200)
  const client = await LineClient.connect(server.port('imap'))
  await client.until(/^\* OK.*\r\n/)
  client.send('a NOOP\r\n')
  await client.until(/^a OK.*\r\n/m)
  client.end()
})

test('a proxy that is known has to say where its connections come from, and is believed', async context => {
  const dataDir = mkdtempSync(join(tmpdir(), 'restante-serve-'))
  const file = join(dataDir, 'restante.toml')
  writeFileSync(file, 'threads = 0\nproxyNetworks = ["127.0.0.0/8"]\n[log]\nlevel = "debug"\n')
  const server = await ServerProcess.start(context, { dataDir, args: ['--config', file] })
  const client = await LineClient.connect(server.port('imap'))
  client.send('PROXY TCP4 192.0.2.7 127.0.0.1 50000 143\r\n')
  // Behind a proxy nothing is this machine: a password wants TLS.
  assert.match(await client.until(/^\* OK.*\r\n/), /LOGINDISABLED/)
  client.end()
  const silent = await LineClient.connect(server.port('imap'))
  silent.send('a NOOP\r\n')
  assert.equal(await silent.untilEnd(), '')
})

test('a server gives memory back to the system, unless somebody has set how', {
  skip: process.platform !== 'linux' && 'not here: this is not Linux',
}, async context => {
  const settingsOf = async (env: Record<string, string>) => {
    const { child } = await ServerProcess.start(context, { doors: ['imap'], env })
    const variables = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0')
    return variables.filter(variable => variable.startsWith('MALLOC_')).sort()
  }
  assert.deepEqual(await settingsOf({}), [
    'MALLOC_ARENA_MAX=2',
    'MALLOC_MMAP_THRESHOLD_=262144',
    'MALLOC_TRIM_THRESHOLD_=1048576',
  ])
  assert.deepEqual(await settingsOf({ MALLOC_ARENA_MAX: '7' }), ['MALLOC_ARENA_MAX=7'])
  assert.deepEqual(await settingsOf({ GLIBC_TUNABLES: '' }), [])
})
