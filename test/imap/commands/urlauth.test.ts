import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../../../src/base/clock.ts'
import { imapConfig } from '../../../src/imap/config.ts'
import type { ImapClient } from '../client.ts'
import { message, startImap } from '../harness.ts'

const alice = 'imap://alice%40example.test@mail.example.test'

/** The URLs that the server signed. */
async function authorize(client: ImapClient, ...rumps: string[]): Promise<string[]> {
  const [line] = await client.ok(`GENURLAUTH ${rumps.map(rump => `"${rump}" INTERNAL`).join(' ')}`)
  return [...(line ?? '').matchAll(/"([^"]+)"/g)].map(match => match[1] as string)
}

/** What URLFETCH says of one URL. */
async function fetchUrl(client: ImapClient, url: string): Promise<string> {
  const [line] = await client.ok(`URLFETCH "${url}"`)
  assert.ok(line?.startsWith(`* URLFETCH "${url}" `), line ?? 'nothing')
  return (line ?? '').slice(`* URLFETCH "${url}" `.length)
}

const multipart =
  'Subject: parts\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n' +
  '--b\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Transfer-Encoding: base64\r\n\r\nc2Vj\r\nb25k\r\n' +
  '--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: x-odd\r\n\r\nabc\r\n--b--\r\n'

test('GENURLAUTH signs, URLFETCH fetches, for the one whom the URL names (RFC 4467)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await client.append('INBOX', multipart)
  const rump = `${alice}/INBOX/;uid=1/;section=1;urlauth=user+bob%40example.test`
  const [url] = await authorize(client, rump)
  assert.match(url ?? '', /^imap:.*;urlauth=user\+bob%40example\.test:internal:[0-9a-f]{66}$/)
  assert.equal(await fetchUrl(bob, url as string), '{5}\r\nfirst')
  // Not even the owner, where it says "user+bob".
  assert.equal(await fetchUrl(client, url as string), 'NIL')
  const [first, second] = await authorize(
    client,
    `${alice}/INBOX/;uid=1/;section=2;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1;urlauth=authuser`,
  )
  const [both] = await bob.ok(`URLFETCH "${first}" "${second}"`)
  assert.equal(
    both,
    `* URLFETCH "${first}" {10}\r\nc2Vj\r\nb25k "${second}" {${multipart.length}}\r\n${multipart}`,
  )
  // Fetching leaves no mark.
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('SEARCH SEEN'), ['* SEARCH'])
})

test('forged tokens give nothing: another part, another mailbox, another reader, another date, no token (CVE-2026-47085)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await client.append('INBOX', multipart)
  await client.append('Drafts', multipart)
  const expire = ';expire=2099-01-01T00:00:00Z'
  const [url] = await authorize(
    client,
    `${alice}/INBOX/;uid=1/;section=1${expire};urlauth=user+bob%40example.test`,
  )
  const good = url as string
  assert.notEqual(await fetchUrl(bob, good), 'NIL')
  const last = good.at(-1) === '0' ? '1' : '0'
  for (const forged of [
    good.replace('section=1', 'section=2'),
    good.replace('uid=1', 'uid=2'),
    good.replace('INBOX', 'Drafts'),
    good.replace('INBOX', 'inbox'),
    good.replace('2099', '2098'),
    good.replace(expire, ''),
    good.replace('user+bob%40example.test', 'anonymous'),
    good.replace('user+bob%40example.test', 'user+bob'),
    good.replace('alice%40', 'bob%40'),
    good.replace('mail.example.test', 'other.example.test'),
    good.slice(0, -1) + last,
    good.slice(0, -2),
    `${good}00`,
    good.replace(/internal:.*/, `internal:${'0'.repeat(66)}`),
    good.replace(/:internal:.*/, ''),
    good.replace(':internal:', ':external:'),
    good.replace(/^imap:\/\/[^/]*/, ''),
    'imap://x',
    'nonsense',
  ])
    assert.equal(await fetchUrl(bob, forged), 'NIL', forged)
})

test('RESETKEY takes back what was given out, of one mailbox or of all (CVE-2026-47086)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', multipart)
  await client.append('Drafts', multipart)
  const make = () =>
    authorize(client, `${alice}/INBOX/;uid=1;urlauth=anonymous`, `${alice}/Drafts/;uid=1;urlauth=anonymous`)
  const [inbox, drafts] = (await make()) as [string, string]
  // The key is the same until it is reset.
  assert.deepEqual(await make(), [inbox, drafts])
  assert.match((await client.command('RESETKEY INBOX')).tagged, /^OK \[URLMECH INTERNAL\]/)
  assert.equal(await fetchUrl(client, inbox), 'NIL')
  assert.notEqual(await fetchUrl(client, drafts), 'NIL')
  const [again] = (await make()) as [string]
  assert.notEqual(again, inbox)
  assert.notEqual(await fetchUrl(client, again), 'NIL')
  await client.ok('RESETKEY')
  assert.equal(await fetchUrl(client, again), 'NIL')
  assert.equal(await fetchUrl(client, drafts), 'NIL')
  // A mailbox that is deleted and made again has another key.
  await client.ok('CREATE Once')
  await client.append('Once', multipart)
  const [once] = (await authorize(client, `${alice}/Once/;uid=1;urlauth=anonymous`)) as [string]
  await client.ok('DELETE Once')
  await client.ok('CREATE Once')
  await client.append('Once', multipart)
  assert.equal(await fetchUrl(client, once), 'NIL')
  assert.match((await client.command('RESETKEY Nowhere')).tagged, /^NO \[NONEXISTENT\]/)
  assert.match((await client.command('RESETKEY INBOX XSAMPLE')).tagged, /^NO /)
  assert.equal((await client.command('RESETKEY INBOX INTERNAL')).status, 'OK')
})

test('a URL that has expired gives nothing, from that very millisecond on (CVE-2026-47087)', async t => {
  let nowMs = Date.UTC(2026, 0, 1)
  const clock: Clock = { now: () => nowMs }
  const server = await startImap(t, { clock })
  const client = await server.client()
  await client.append('INBOX', multipart)
  const [url] = (await authorize(
    client,
    `${alice}/INBOX/;uid=1/;section=1;EXPIRE=2026-01-01T01:00:00+00:00;URLAUTH=authuser`,
  )) as [string]
  nowMs = Date.UTC(2026, 0, 1, 1) - 1
  assert.equal(await fetchUrl(client, url), '{5}\r\nfirst')
  nowMs++
  assert.equal(await fetchUrl(client, url), 'NIL')
  assert.match(
    (
      await client.command(
        `GENURLAUTH "${alice}/INBOX/;uid=1;EXPIRE=2026-01-01T01:00:00Z;URLAUTH=authuser" INTERNAL`,
      )
    ).tagged,
    /^NO /,
  )
})

test('"submit+" is for the submission servers that the administrator names; a disabled owner shares nothing', async t => {
  const server = await startImap(t, {
    config: { imap: imapConfig.parse({ submissionServers: ['bob@example.test'] }) },
  })
  const client = await server.client()
  const bob = await server.connect()
  await bob.login('bob@example.test')
  await client.append('INBOX', multipart)
  const [url] = (await authorize(client, `${alice}/INBOX/;uid=1/;section=1;urlauth=submit+alice`)) as [string]
  assert.equal(await fetchUrl(client, url), 'NIL')
  assert.equal(await fetchUrl(bob, url), '{5}\r\nfirst')
  await server.store.mutate('updateAccount', { account: server.account, state: 'disabled' })
  assert.equal(await fetchUrl(bob, url), 'NIL')
})

test('GENURLAUTH signs only URLs of own messages that are there', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', multipart)
  for (const rump of [
    `${alice}/INBOX/;uid=1`,
    `${alice}/INBOX;urlauth=anonymous`,
    '/INBOX/;uid=1;urlauth=anonymous',
    'imap://bob%40example.test@mail.example.test/INBOX/;uid=1;urlauth=anonymous',
    'imap://alice%40example.test@elsewhere.test/INBOX/;uid=1;urlauth=anonymous',
    'imap://mail.example.test/INBOX/;uid=1;urlauth=anonymous',
    `${alice}/INBOX/;uid=1;urlauth=anonymous:internal:${'0'.repeat(66)}`,
    `${alice}/INBOX/;uid=1;urlauth=nobody`,
  ])
    assert.equal((await client.command(`GENURLAUTH "${rump}" INTERNAL`)).status, 'BAD', rump)
  for (const rump of [
    `${alice}/INBOX/;uid=9;urlauth=anonymous`,
    `${alice}/Nowhere/;uid=1;urlauth=anonymous`,
    `${alice}/INBOX;UIDVALIDITY=9999/;uid=1;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1/;section=7;urlauth=anonymous`,
  ])
    assert.match((await client.command(`GENURLAUTH "${rump}" INTERNAL`)).tagged, /^NO \[NONEXISTENT\]/, rump)
  for (const wrong of [
    'GENURLAUTH',
    'GENURLAUTH "x"',
    `GENURLAUTH "${alice}/INBOX/;uid=1;urlauth=anonymous" OTHER`,
    'URLFETCH',
    'URLFETCH (',
    'URLFETCH ("x" HEADER)',
    'URLFETCH ("x" BODY BINARY)',
  ])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
  const stranger = await server.connect()
  for (const command of ['GENURLAUTH "x" INTERNAL', 'URLFETCH "x"', 'RESETKEY'])
    assert.equal((await stranger.command(command)).status, 'BAD')
  const many = Array.from({ length: 101 }, () => '"x"').join(' ')
  assert.match((await client.command(`URLFETCH ${many}`)).tagged, /^BAD \[TOOBIG\]/)
})

test('URLAUTH=BINARY: the structure, and the part without its encoding (RFC 5524)', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', multipart)
  await client.append(
    'INBOX',
    message(
      'bytes',
      'AAEC',
      'Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n',
    ),
  )
  const [second, odd, whole, header, bytes, some] = (await authorize(
    client,
    `${alice}/INBOX/;uid=1/;section=2;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1/;section=3;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1/;section=HEADER;urlauth=anonymous`,
    `${alice}/INBOX/;uid=2/;section=1;urlauth=anonymous`,
    `${alice}/INBOX/;uid=1/;section=2/;partial=1.3;urlauth=anonymous`,
  )) as [string, string, string, string, string, string]
  assert.deepEqual(await client.ok(`URLFETCH ("${second}" BODYPARTSTRUCTURE BINARY)`), [
    `* URLFETCH "${second}" (BODYPARTSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "base64" 10 1 NIL NIL NIL NIL)) (BINARY {6}\r\nsecond)`,
  ])
  assert.deepEqual(await client.ok(`URLFETCH ("${second}") ("${second}" BODY)`), [
    `* URLFETCH "${second}" (BODY {10}\r\nc2Vj\r\nb25k) "${second}" (BODY {10}\r\nc2Vj\r\nb25k)`,
  ])
  assert.deepEqual(await client.ok(`URLFETCH ("${odd}" BINARY)`), [`* URLFETCH "${odd}" (BINARY NIL)`])
  assert.deepEqual(await client.ok(`URLFETCH ("${some}" BINARY)`), [
    `* URLFETCH "${some}" (BINARY {3}\r\neco)`,
  ])
  assert.deepEqual(await client.ok(`URLFETCH ("${bytes}" BINARY)`), [
    `* URLFETCH "${bytes}" (BINARY ~{3}\r\n\0\x01\x02)`,
  ])
  assert.match(
    (await client.ok(`URLFETCH ("${whole}" BODYPARTSTRUCTURE)`))[0] ?? '',
    /BODYPARTSTRUCTURE \(\("text".* "mixed"/,
  )
  assert.match(
    (await client.ok(`URLFETCH ("${header}" BODYPARTSTRUCTURE)`))[0] ?? '',
    /BODYPARTSTRUCTURE NIL/,
  )
  assert.deepEqual(await client.ok('URLFETCH ("imap://x" BINARY)'), ['* URLFETCH "imap://x" NIL'])
})
