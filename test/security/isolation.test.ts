// Two users: whatever one says with the other's names and numbers, he learns nothing and changes nothing. CVE-2026-47081/3/4/9, CVE-2025-30189.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AccountId } from '../../src/base/ids.ts'
import { anyone } from '../../src/store/read/acl.ts'
import { listMailboxes } from '../../src/store/read/mailboxes.ts'
import { rightsOf } from '../../src/store/rights.ts'
import { type ScenarioNames, scenarios } from '../imap/sharing-scenarios.ts'
import { password, type Peer, type Servers, startAll } from './all-protocols.ts'
import { valuesOf } from '../store/snapshot-values.ts'

/** Nothing that ann hears may hold this: it is in bob's mailbox names, flags and messages only. */
const secret = 's3cr3tOfBob'

interface Found {
  readonly mailboxId: string
  readonly emailId: string
  readonly threadId: string
  readonly uidValidity: string
  readonly modSeq: string
}

/** Bob's mailbox with a message in it, whose UIDs begin where ann has none. */
async function furnish(servers: Servers): Promise<Found> {
  const bob = await servers.enter('imap', 'bob')
  const name = `${secret}/inner`
  await bob.ask(`a CREATE ${name}`, /^a OK.*\r\n$/m)
  const letter = `From: x@example.com\r\nSubject: ${secret}\r\nMessage-ID: <${secret}@example.com>\r\n\r\n${secret}\r\n`
  for (let count = 0; count < 5; count++) {
    await bob.ask(
      `b APPEND ${name} (${secret} \\Flagged) {${letter.length}+}\r\n${letter}`,
      /^b OK \[APPENDUID .*\r\n$/m,
    )
  }
  const selected = await bob.ask(`c SELECT ${name} (CONDSTORE)`, /^c OK.*\r\n$/m)
  const fetched = await bob.ask('d FETCH 5 (EMAILID THREADID UID)', /^d OK.*\r\n$/m)
  const part = (text: string, pattern: RegExp) =>
    pattern.exec(text)?.[1] ?? assert.fail(`${pattern} in ${text}`)
  bob.socket.destroy()
  return {
    mailboxId: part(selected, /MAILBOXID \(([^)]+)\)/),
    uidValidity: part(selected, /UIDVALIDITY (\d+)/),
    modSeq: part(selected, /HIGHESTMODSEQ (\d+)/),
    emailId: part(fetched, /EMAILID \(([^)]+)\)/),
    threadId: part(fetched, /THREADID \(([^)]+)\)/),
  }
}

/** Every command that takes a name, a number or an id, with those of somebody else. */
function attempts({ mailboxId, emailId, threadId, uidValidity, modSeq }: Found): string[] {
  const names = [
    `${secret}/inner`,
    secret,
    `"bob/${secret}/inner"`,
    `"bob@example.org/${secret}"`,
    `"user/bob/${secret}"`,
    `"~bob/${secret}"`,
    `"Other Users/bob/${secret}"`,
    `"../bob/${secret}"`,
    mailboxId,
  ]
  const letter = 'Subject: from ann\r\n\r\nhello\r\n'
  const byName = names.flatMap(name => [
    `SELECT ${name}`,
    `EXAMINE ${name}`,
    `SELECT ${name} (QRESYNC (${uidValidity} 1 1:10 (1:5 1:5)))`,
    `STATUS ${name} (MESSAGES UIDNEXT UIDVALIDITY UNSEEN SIZE DELETED HIGHESTMODSEQ MAILBOXID)`,
    `LIST "" ${name}`,
    `LIST ${name} %`,
    `LIST (SUBSCRIBED RECURSIVEMATCH) "" ${name} RETURN (CHILDREN STATUS (MESSAGES))`,
    `LSUB "" ${name}`,
    `XLIST "" ${name}`,
    `DELETE ${name}`,
    `RENAME ${name} stolen`,
    `UNSUBSCRIBE ${name}`,
    `APPEND ${name} {${letter.length}+}\r\n${letter}`,
    `COPY 1:* ${name}`,
    `MOVE 1:* ${name}`,
    `UID COPY 1:* ${name}`,
    `UID MOVE 1:* ${name}`,
    `REPLACE 1 ${name} {${letter.length}+}\r\n${letter}`,
  ])
  const byNumber = [
    `UID FETCH 1:* (UID FLAGS EMAILID THREADID ENVELOPE BODY.PEEK[])`,
    'UID FETCH 5 BODY[]',
    'FETCH 5 BODY[]',
    `UID FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)`,
    `UID STORE 5 +FLAGS (\\Deleted)`,
    `STORE 1:* (UNCHANGEDSINCE ${modSeq}) +FLAGS (\\Deleted)`,
    'UID EXPUNGE 1:100',
    `SEARCH EMAILID ${emailId}`,
    `SEARCH THREADID ${threadId}`,
    `UID SEARCH RETURN (SAVE ALL MIN MAX COUNT) UID 1:*`,
    'FETCH $ BODY[]',
    `SEARCH TEXT ${secret}`,
    `SEARCH KEYWORD ${secret}`,
    `SEARCH MODSEQ "/flags/${secret}" all 1`,
    'LIST "" *',
    'LIST "" %/%',
    'LSUB "" *',
    'NAMESPACE',
    'CAPABILITY',
    'ENABLE QRESYNC CONDSTORE IMAP4REV2',
    'EXPUNGE',
    'CLOSE',
  ]
  return [...byName, ...byNumber]
}

/** All that bob has, told in a way that shows any change. */
async function stateOf({ store, bob }: Servers): Promise<string> {
  const mailboxes = await listMailboxes(store.reader, bob)
  const parts: unknown[] = [mailboxes]
  for (const { id } of mailboxes) {
    const snapshot = await store.snapshot(bob, id)
    parts.push([
      snapshot.count,
      snapshot.modSeq,
      valuesOf(snapshot.uids, snapshot.count),
      valuesOf(snapshot.flags, snapshot.count),
    ])
  }
  return JSON.stringify(parts)
}

test('IMAP: no command with another user’s names, numbers or ids tells or changes anything', async t => {
  const servers = await startAll(t)
  const found = await furnish(servers)
  const before = await stateOf(servers)
  const heard: string[] = []
  // Alone, in the selected state, and with a mailbox selected whose ids are near the other's.
  for (const first of ['NOOP', 'SELECT INBOX', 'EXAMINE Trash']) {
    const ann = await servers.enter('imap')
    for (const attempt of attempts(found)) {
      await ann.ask(`s ${first}`, /^s OK.*\r\n$/m)
      const answer = await ann.ask(`t ${attempt}`, /^t (?:OK|NO|BAD).*\r\n$/m)
      const echoed = attempt.includes(secret)
        ? /^\* (?:LIST|LSUB|XLIST|STATUS) .*s3cr3tOfBob.*$/m
        : new RegExp(secret)
      assert.doesNotMatch(answer, echoed, attempt)
      heard.push(answer)
    }
    ann.socket.destroy()
  }
  const all = heard.join('')
  assert.ok(!all.includes(found.emailId) && !all.includes(found.mailboxId), 'no id of his is told')
  assert.equal(await stateOf(servers), before)
})

test('IMAP: a mailbox that is hidden from ann is answered to the byte like one that is not there, by every command (RFC 4314 §6)', async t => {
  const servers = await startAll(t)
  const { store, bob, ann: account } = servers
  const grant = async (name: string, grantee: AccountId, isNegative: boolean, rights: string) => {
    const { mailbox } = await store.mutate('createMailbox', { account: bob, name })
    const change = {
      account: bob,
      mailbox,
      grantee,
      isNegative,
      mode: 'replace',
      rights: rightsOf(rights),
    } as const
    await store.mutate('setRights', change)
    return mailbox
  }
  // Never shared; for posting only; given and taken away again. All with a message, all subscribed or not as the name is.
  await grant('never', anyone, true, 'l')
  await grant('posts', account, false, 'p')
  const taken = await grant('taken', account, false, 'lrswipkxtena')
  await store.mutate('setRights', {
    account: bob,
    mailbox: taken,
    grantee: anyone,
    isNegative: true,
    mode: 'replace',
    rights: rightsOf('lrswipkxtena'),
  })
  const peer = await servers.enter('imap')
  const letter = 'Subject: x\r\n\r\nx\r\n'
  await peer.ask(`a APPEND INBOX {${letter.length}+}\r\n${letter}`, /^a OK.*\r\n$/m)
  /** What every command says to a name, without the name. */
  const answers = async (prefix: string, mailbox: string): Promise<readonly string[]> => {
    const name = `"${prefix}/${mailbox}"`
    const names: ScenarioNames = {
      from: name,
      to: name,
      below: `"${prefix}/${mailbox}/below"`,
      grantee: 'ann',
      url: `imap://ann@localhost/${prefix.replaceAll(' ', '%20')}/${mailbox}/;UID=1;URLAUTH=authuser`,
    }
    const heard: string[] = []
    for (const [scenario, { text }] of Object.entries(scenarios)) {
      for (const first of ['NOOP', 'SELECT INBOX']) {
        await peer.ask(`s ${first}`, /^s OK.*\r\n$/m)
        const answer = await peer.ask(`t ${text(names)}`, /^t (?:OK|NO|BAD).*\r\n$/m)
        heard.push(`${scenario}: ${answer.replaceAll(`${prefix}/${mailbox}`, 'NAME')}`)
      }
    }
    return heard
  }
  const others = 'Other Users/bob@example.org'
  const missing = await answers(others, 'wrong')
  for (const mailbox of ['never', 'posts', 'taken'])
    assert.deepEqual(await answers(others, mailbox), missing, mailbox)
  // Neither is it told who has an account, nor of what kind.
  assert.deepEqual(await answers('Other Users/nob@example.org', 'INBOX'), missing)
  assert.deepEqual(await answers(others, 'INBOX'), missing)
  assert.deepEqual(await answers('Shared/bob@example.org', 'never'), missing)
  assert.deepEqual(await answers('Shared/nob@example.org', 'never'), missing)
  assert.match(await peer.ask('l LIST "" *', /^l OK.*\r\n$/m), /^(?!.*Other Users)/s)
  assert.equal((await listMailboxes(store.reader, bob)).find(({ name }) => name === 'taken')?.total, 0)
})

test('POP3: ann’s maildrop is hers alone, and bob’s is not locked by her', async t => {
  const servers = await startAll(t)
  const sender = await servers.enter('smtp')
  await deliver(sender, 'bob@example.org', secret)
  await deliver(sender, 'ann@example.org', 'for ann')
  const ann = await servers.enter('pop3')
  const heard = await ann.ask(
    'LIST\r\nUIDL\r\nRETR 1\r\nRETR 2\r\nTOP 2 10\r\nDELE 2\r\nNOOP',
    /(?:-ERR[^\r]*\r\n){3}\+OK[^\r]*\r\n$/,
  )
  assert.match(heard, /for ann/)
  assert.doesNotMatch(heard, new RegExp(secret))
  const bob = await servers.enter('pop3', 'bob')
  assert.match(await bob.ask('RETR 1', /\r\n\.\r\n$/), new RegExp(secret))
  await ann.ask('QUIT', /^\+OK.*\r\n$/m)
  assert.match(await bob.ask('STAT', /\r\n$/), /^\+OK 1 /)
})

test('submission: nobody sends as somebody else', async t => {
  const servers = await startAll(t)
  const ann = await servers.enter('submission')
  for (const from of [
    'bob@example.org',
    'BOB@EXAMPLE.ORG',
    'bob+x@example.org',
    '"bob"@example.org',
    'root@example.org',
    'postmaster@example.org',
  ]) {
    assert.match(await ann.ask(`MAIL FROM:<${from}>`, /\r\n$/), /^5\d\d /, from)
  }
  assert.match(await ann.ask('MAIL FROM:<ann@example.org>', /\r\n$/), /^250 /)
})

test('a second log-in on one connection is refused, so no state of one user is ever another’s', async t => {
  const servers = await startAll(t)
  const plain = Buffer.from(`\0bob\0${password}`).toString('base64')
  const imap = await servers.enter('imap')
  assert.match(await imap.ask(`a LOGIN bob "${password}"`, /\r\n$/), /^a BAD/)
  assert.match(await imap.ask(`b AUTHENTICATE PLAIN ${plain}`, /\r\n$/), /^b BAD/)
  const pop3 = await servers.enter('pop3')
  assert.match(await pop3.ask('USER bob', /\r\n$/), /^-ERR/)
  assert.match(await pop3.ask(`AUTH PLAIN ${plain}`, /\r\n$/), /^-ERR/)
  const submission = await servers.enter('submission')
  assert.match(await submission.ask(`AUTH PLAIN ${plain}`, /\r\n$/), /^503/)
})

test('what UNAUTHENTICATE leaves behind of one user is nothing (RFC 8437)', async t => {
  const servers = await startAll(t)
  await furnish(servers)
  const peer = await servers.enter('imap', 'bob')
  await peer.ask(
    `a ENABLE QRESYNC IMAP4REV2\r\nb SELECT ${secret}/inner\r\nc SEARCH RETURN (SAVE) ALL`,
    /^c OK.*\r\n$/m,
  )
  if (!/^d OK/m.test(await peer.ask('d UNAUTHENTICATE', /^d .*\r\n$/m))) return t.skip('not here')
  await peer.ask(`e LOGIN ann "${password}"`, /^e OK.*\r\n$/m)
  const heard = await peer.ask(
    'f FETCH $ BODY[]\r\ng LIST "" *\r\nh FETCH 1:* FLAGS\r\ni SELECT INBOX',
    /^i OK.*\r\n$/m,
  )
  assert.doesNotMatch(heard, new RegExp(secret))
  assert.match(heard, /^f BAD/m)
  assert.match(heard, /^h BAD/m)
})

async function deliver(sender: Peer, to: string, text: string): Promise<void> {
  await sender.ask(`MAIL FROM:<x@example.com>\r\nRCPT TO:<${to}>\r\nDATA`, /^354.*\r\n$/m)
  await sender.ask(`Subject: x\r\n\r\n${text}\r\n.`, /^250.*\r\n$/m)
}
