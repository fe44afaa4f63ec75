import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commands } from '../../src/imap/commands.ts'
import { message, startImap } from './harness.ts'

const mechanisms = ['PLAIN', 'ANONYMOUS']
const options = { mechanisms, anonymousAccount: 'alice@example.test' }
const trace = Buffer.from('sirhc').toString('base64')

test('ANONYMOUS is off unless an account is named for it and the mechanism is switched on (RFC 4505 §5)', async t => {
  for (const login of [{}, { mechanisms }, { anonymousAccount: 'alice@example.test' }]) {
    const client = await (await startImap(t, {}, {}, login)).connect()
    assert.doesNotMatch((await client.ok('CAPABILITY'))[0] ?? '', /AUTH=ANONYMOUS/)
    assert.match((await client.command(`AUTHENTICATE ANONYMOUS ${trace}`)).tagged, /^NO \[CANNOT\]/)
  }
})

test('whoever comes by ANONYMOUS reads the mail of the account that is named for it (RFC 4505 §4)', async t => {
  const server = await startImap(t, {}, {}, options)
  const owner = await server.client()
  await owner.append('INBOX', message('public'))
  const guest = await server.connect()
  assert.match(guest.greeting, / AUTH=ANONYMOUS/)
  assert.match((await guest.command(`AUTHENTICATE ANONYMOUS ${trace}`)).tagged, /^OK \[CAPABILITY /)
  const { untagged, tagged } = await guest.command('SELECT INBOX')
  assert.match(tagged, /^OK \[READ-ONLY\]/)
  assert.ok(untagged.includes('* 1 EXISTS'))
  assert.match((await guest.ok('FETCH 1 BODY[]'))[0] ?? '', /Subject: public/)
  assert.deepEqual(await guest.ok('UID SEARCH SUBJECT public'), ['* SEARCH 1'])
  // Neither \Seen nor what is recent has changed.
  assert.match((await owner.ok('STATUS INBOX (UNSEEN RECENT)'))[0] ?? '', /UNSEEN 1 RECENT 1/)
})

test('who is not known changes nothing, whatever the command', async t => {
  const server = await startImap(t, {}, {}, options)
  const owner = await server.client()
  await owner.append('INBOX', message('public'))
  const guest = await server.connect()
  await guest.ok(`AUTHENTICATE ANONYMOUS ${trace}`)
  await guest.ok('SELECT INBOX')
  const before = await owner.ok(
    'LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ))',
  )
  const literal = '{3+}\r\nabc'
  const changes = [
    `APPEND INBOX ${literal}`,
    'APPEND INBOX {3}',
    'COPY 1 Sent',
    'MOVE 1 Sent',
    'UID MOVE 1 Sent',
    'STORE 1 +FLAGS (\\Seen)',
    'STORE 1 +X-GM-LABELS (x)',
    'STORE 1 ANNOTATION (/comment (value.priv "x"))',
    'EXPUNGE',
    'UID EXPUNGE 1',
    'CREATE x',
    'DELETE Sent',
    'RENAME Sent x',
    'SUBSCRIBE x',
    'UNSUBSCRIBE Sent',
    'SETMETADATA INBOX (/private/comment "x")',
    'SETMETADATA "" (/private/filters/values/x "SEEN")',
    `REPLACE 1 INBOX ${literal}`,
    'RESETKEY INBOX',
    'GENURLAUTH "imap://alice%40example.test@mail.example.test/INBOX/;uid=1;urlauth=anonymous" INTERNAL',
    'SETQUOTA alice@example.test (STORAGE 1)',
    // Nor is he told who else may use what.
    'SETACL INBOX bob lr',
    'DELETEACL INBOX bob',
    'GETACL INBOX',
    'LISTRIGHTS INBOX bob',
  ]
  for (const text of changes) {
    assert.match((await guest.command(text)).tagged, /^NO \[(?:NOPERM|READ-ONLY|CANNOT)\]/, text)
    await guest.ok('NOOP')
  }
  assert.deepEqual(
    await owner.ok('LIST "" * RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ))'),
    before,
  )
  assert.deepEqual(await guest.ok('MYRIGHTS INBOX'), ['* MYRIGHTS INBOX lr'])
  // A command that is added later is to be thought of here.
  const words = new Set(changes.map(text => text.replace(/^UID /, '').split(' ')[0]))
  const readers = [
    'AUTHENTICATE',
    'CANCELUPDATE',
    'CAPABILITY',
    'CHECK',
    'CLOSE',
    'COMPARATOR',
    'COMPRESS',
    'CONVERSIONS',
    'CONVERT',
    'ENABLE',
    'ESEARCH',
    'EXAMINE',
    'FETCH',
    'GETJMAPACCESS',
    'GETMETADATA',
    'GETQUOTA',
    'GETQUOTAROOT',
    'ID',
    'IDLE',
    'LANGUAGE',
    'LIST',
    'LOGIN',
    'LOGOUT',
    'LSUB',
    'MYRIGHTS',
    'NAMESPACE',
    'NOOP',
    'NOTIFY',
    'SEARCH',
    'SELECT',
    'SORT',
    'STARTTLS',
    'STATUS',
    'THREAD',
    'UIDBATCHES',
    'UNAUTHENTICATE',
    'UNSELECT',
    'URLFETCH',
    'XLIST',
  ]
  assert.deepEqual(
    commands.map(({ name }) => name).filter(name => !words.has(name) && !readers.includes(name)),
    [],
  )
})

test('URLs for those who have logged in are not for the unknown (RFC 4467 §3)', async t => {
  const server = await startImap(t, {}, {}, options)
  const owner = await server.client()
  await owner.append('INBOX', message('public'))
  const rump = 'imap://alice%40example.test@mail.example.test/INBOX/;uid=1;urlauth='
  const guest = await server.connect()
  await guest.ok(`AUTHENTICATE ANONYMOUS ${trace}`)
  for (const [access, isGiven] of [
    ['anonymous', true],
    ['authuser', false],
    ['user+alice%40example.test', false],
  ] as const) {
    const [line] = await owner.ok(`GENURLAUTH "${rump}${access}" INTERNAL`)
    const url = /^\* GENURLAUTH "?([^"]+)"?$/.exec(line ?? '')?.[1] ?? ''
    const [answer] = await guest.ok(`URLFETCH "${url}"`)
    assert.equal(answer?.includes('Subject: public'), isGiven, `${access}: ${answer}`)
  }
})

test('an account that is disabled, and a trace that is none, lead nowhere (RFC 4505 §2)', async t => {
  const server = await startImap(t, {}, {}, options)
  const guest = await server.connect()
  assert.match(
    (await guest.command(`AUTHENTICATE ANONYMOUS ${Buffer.from('a\0b').toString('base64')}`)).tagged,
    /^BAD/,
  )
  await server.store.mutate('updateAccount', { account: server.account, state: 'disabled' })
  assert.match(
    (await guest.command(`AUTHENTICATE ANONYMOUS ${trace}`)).tagged,
    /^NO \[AUTHENTICATIONFAILED\]/,
  )
})
