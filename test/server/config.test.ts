import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadConfig, parseConfig } from '../../src/server/config.ts'
import { isSecretField, withoutPassword } from '../../src/server/redact.ts'
import { bucketOf } from '../../src/store/s3/bucket.ts'
import { ConfigError } from '../../src/server/config-error.ts'

const context = { file: 'restante.toml', baseDir: '/etc/restante', env: { SECRET: 'from the environment' } }

function problemsOf(text: string): readonly string[] {
  try {
    parseConfig(text, context)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.message.split('\n')
  }
  return []
}

test('an empty file is a configuration that works', () => {
  const config = parseConfig('', context)
  assert.equal(config.log.level, 'info')
  assert.deepEqual(config.listen.imaps, [{ kind: 'tcp', host: '::', port: 993 }])
  assert.equal(config.listen.lmtp, undefined)
  assert.ok(config.threads >= 1 && config.threads <= 4)
})

test('an unknown key is refused with the nearest name', () => {
  assert.deepEqual(problemsOf('hostnam = "mail.example.org"'), [
    'restante.toml: hostnam: unknown key; did you mean hostname?',
  ])
  assert.deepEqual(problemsOf('[listen]\nimpas = "*:1"'), [
    'restante.toml: listen.impas: unknown key; did you mean imaps?',
  ])
})

test('a key in the wrong table is found where it belongs', () => {
  assert.deepEqual(problemsOf('level = "info"'), [
    'restante.toml: level: unknown key; did you mean log.level?',
  ])
})

test('an unknown key in a list of tables is refused', () => {
  const [problem] = problemsOf('[[tls.certificates]]\ncertFile = "a"\nkeyFile = "b"\nkeyfil = "c"')
  assert.match(
    problem ?? '',
    /^restante\.toml: tls\.certificates\[1\]\.keyfil: unknown key; did you mean keyFile\?$/,
  )
})

test('a JavaScript key is a key like any other', () => {
  for (const key of ['__proto__', 'constructor', 'toString']) {
    assert.match(problemsOf(`${key} = 1`)[0] ?? '', /unknown key/)
    assert.match(problemsOf(`[log]\n${key} = 1`)[0] ?? '', /unknown key/)
  }
})

test('every problem is told, each with its key and what was expected', () => {
  assert.deepEqual(problemsOf('threads = -1\n[log]\nlevel = "loud"\n[listen]\nimap = "1.2.3.4"'), [
    'restante.toml: threads: expected number to be >=0',
    'restante.toml: listen.imap: expected ADDRESS:PORT such as 127.0.0.1:1143, [::1]:1143 or *:143 (every address), or unix:/path, got "1.2.3.4"',
    'restante.toml: log.level: expected one of "debug"|"info"|"warn"|"error"|"silent"',
  ])
})

test('a file that is no TOML is named with the line', () => {
  assert.match(problemsOf('[log]\nlevel = ')[0] ?? '', /^restante\.toml:2:\d+: /)
})

test('text comes from a file or from the environment', () => {
  const folder = mkdtempSync(join(tmpdir(), 'restante-config-'))
  writeFileSync(join(folder, 'name'), 'mail.example.org\n')
  const config = parseConfig('hostname = { file = "name" }\nuser = { env = "SECRET" }', {
    ...context,
    baseDir: folder,
  })
  assert.equal(config.hostname, 'mail.example.org')
  assert.equal(config.user, 'from the environment')
})

test('a secret that is missing is an error that names where it was sought', () => {
  assert.match(
    problemsOf('user = { env = "NOBODY" }')[0] ?? '',
    /user: the environment has no variable NOBODY/,
  )
  assert.match(
    problemsOf('user = { file = "no/such" }')[0] ?? '',
    /user: \/etc\/restante\/no\/such cannot be read \(ENOENT\)/,
  )
  assert.match(
    problemsOf('user = { fil = "x" }')[0] ?? '',
    /expected text, \{ file = "PATH" \} or \{ env = "NAME" \}/,
  )
})

test('paths are relative to the file, and on the command line to the caller', () => {
  assert.equal(parseConfig('dataDir = "data"', context).dataDir, '/etc/restante/data')
  assert.equal(loadConfig({ env: {}, cwd: '/home/ann', dataDir: 'mail' }).dataDir, '/home/ann/mail')
  assert.equal(loadConfig({ env: { RESTANTE_DATA: 'mail' }, cwd: '/home/ann' }).dataDir, '/home/ann/mail')
})

test('--listen opens only what it names', () => {
  const { listen } = loadConfig({
    env: {},
    cwd: '/',
    dataDir: '/x',
    listen: ['imap=127.0.0.1:0', 'imap=[::1]:1143', 'lmtp=unix:/run/lmtp'],
  })
  assert.deepEqual(listen, {
    imap: [
      { kind: 'tcp', host: '127.0.0.1', port: 0 },
      { kind: 'tcp', host: '::1', port: 1143 },
    ],
    lmtp: [{ kind: 'unix', path: '/run/lmtp' }],
  })
})

test('--listen says what it wanted', () => {
  const listen = (option: string) => () => loadConfig({ env: {}, cwd: '/', dataDir: '/x', listen: [option] })
  assert.throws(listen('imapx=127.0.0.1:0'), /expected NAME=ADDRESS:PORT where NAME is one of imap, imaps/)
  assert.throws(listen('imap'), /expected NAME=ADDRESS:PORT/)
  assert.throws(listen('imap=127.0.0.1:70000'), /expected ADDRESS:PORT/)
  assert.throws(listen('__proto__=127.0.0.1:1'), /expected NAME=ADDRESS:PORT/)
})

test('a configuration that is named and cannot be read is an error', () => {
  assert.throws(
    () => loadConfig({ env: {}, cwd: '/', file: '/no/such.toml' }),
    /\/no\/such\.toml: cannot be read \(ENOENT\)/,
  )
})

const database = 'url = "postgres://db.example.org/mail"'

test('bodies in S3 have their bucket, prefix and keys', () => {
  const { store } = parseConfig(
    `[store]\n${database}\nbodies = "s3://mail-bodies/a/b/"\n[store.s3]\naccessKey = "AK"\nsecretKey = { env = "SECRET" }\nregion = "eu-1"\ncaFile = "ca.pem"`,
    context,
  )
  assert.equal(store.s3.caFile, '/etc/restante/ca.pem')
  const { ca: _ca, ...bucket } = bucketOf({ ...store, s3: { ...store.s3, caFile: undefined } }) ?? {}
  assert.deepEqual(bucket, {
    endpoint: 'https://s3.eu-1.amazonaws.com',
    region: 'eu-1',
    bucket: 'mail-bodies',
    prefix: 'a/b/',
    accessKeyId: 'AK',
    secretAccessKey: 'from the environment',
    sessionToken: undefined,
    pathStyle: false,
    cacheBytes: 10 * 2 ** 30,
  })
})

test('bodies in S3 are refused for the embedded store, without a key, and with an address that is none', () => {
  assert.match(
    problemsOf('[store]\nbodies = "s3://mail"')[0] ?? '',
    /store\.bodies: bodies in S3 need a store on PostgreSQL/,
  )
  assert.match(
    problemsOf(`[store]\n${database}\nbodies = "s3://mail"`)[0] ?? '',
    /store\.s3\.accessKey: is needed/,
  )
  assert.match(problemsOf(`[store]\n${database}\nbodies = "mail"`)[0] ?? '', /store\.bodies: expected s3:/)
})

test('the password in the address of a database is a secret', () => {
  assert.equal(
    withoutPassword('postgres://user:pass%40word@a:1,b/mail'),
    'postgres://user:(not shown)@a:1,b/mail',
  )
  assert.equal(withoutPassword('postgres://user@a/mail'), 'postgres://user@a/mail')
  assert.equal(isSecretField('secretKey'), true)
})
