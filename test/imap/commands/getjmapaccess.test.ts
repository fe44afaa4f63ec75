import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../../src/imap/config.ts'
import { startImap } from '../harness.ts'

const jmapUrl = 'https://mail.example.test/.well-known/jmap'

test('JMAPACCESS is announced after log-in where a JMAP server is known, and GETJMAPACCESS tells its session resource (RFC 9698)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ jmapUrl }) } })
  const client = await server.connect()
  assert.doesNotMatch((await client.ok('CAPABILITY'))[0] ?? '', /JMAPACCESS/)
  assert.match((await client.command('GETJMAPACCESS')).tagged, /^BAD log in first/)
  await client.login()
  assert.match((await client.ok('CAPABILITY'))[0] ?? '', / JMAPACCESS(?: |$)/)
  assert.deepEqual(await client.ok('GETJMAPACCESS'), [`* JMAPACCESS "${jmapUrl}"`])
  assert.match((await client.command('GETJMAPACCESS x')).tagged, /^BAD/)
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('GETJMAPACCESS'), [`* JMAPACCESS "${jmapUrl}"`])
})

test('where no JMAP server is known there is no JMAPACCESS, and GETJMAPACCESS is BAD (RFC 9698)', async t => {
  const client = await (await startImap(t)).client()
  assert.doesNotMatch((await client.ok('CAPABILITY'))[0] ?? '', /JMAPACCESS/)
  assert.equal((await client.command('GETJMAPACCESS')).tagged, 'BAD no JMAP server is known here')
})

test('the session resource of JMAP is an https URL', () => {
  for (const wrong of [
    'http://example.test/',
    'example.test',
    'https://exa mple.test/',
    'https://example.test/"',
  ])
    assert.ok(!imapConfig.safeParse({ jmapUrl: wrong }).success, wrong)
})
