import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import type { ImapClient } from './client.ts'
import { message, startImap, type TestServer } from './harness.ts'

async function withMessages(server: TestServer, count: number): Promise<[ImapClient, ImapClient]> {
  const [one, two] = [await server.client(), await server.client()]
  for (let number = 1; number <= count; number++) await one.append('INBOX', message(`${number}`))
  await one.ok('SELECT INBOX')
  await two.ok('SELECT INBOX')
  return [one, two]
}

test('what one session does the other hears of at its next command: expunges, then arrivals, then flags', async t => {
  const [one, two] = await withMessages(await startImap(t), 4)
  await one.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await one.ok('STORE 4 +FLAGS.SILENT (\\Seen)')
  await one.append('INBOX', message('5'))
  await one.ok('EXPUNGE')
  assert.deepEqual(await two.ok('NOOP'), [
    '* 2 EXPUNGE',
    '* 4 EXISTS',
    '* 1 RECENT',
    '* 3 FETCH (FLAGS (\\Seen))',
  ])
  assert.deepEqual(await two.ok('NOOP'), [])
})

test('EXPUNGE waits while FETCH, STORE and SEARCH are answered (RFC 9051 §7.5.1)', async t => {
  const [one, two] = await withMessages(await startImap(t), 4)
  await one.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await one.ok('EXPUNGE')
  await one.append('INBOX', message('5'))
  for (const text of ['FETCH 2 (UID)', 'STORE 3 +FLAGS (\\Seen)', 'SEARCH ALL']) {
    const { untagged } = await two.command(text)
    assert.equal(
      untagged.some(line => line.includes('EXPUNGE')),
      false,
      text,
    )
  }
  assert.deepEqual(await two.ok('FETCH 2 (UID)'), ['* 2 FETCH (UID 2)'])
  assert.deepEqual(await two.ok('FETCH 5 (UID)'), ['* 5 FETCH (UID 5)'])
  assert.match((await two.command('FETCH 1 (FLAGS)')).tagged, /^NO \[EXPUNGEISSUED\]/)
  assert.match((await two.command('STORE 1 +FLAGS (\\Seen)')).tagged, /^NO \[EXPUNGEISSUED\]/)
  const uid = await two.command('UID STORE 1 +FLAGS (\\Seen)')
  assert.match(uid.tagged, /^OK \[EXPUNGEISSUED\]/)
  assert.deepEqual(uid.untagged, ['* 1 EXPUNGE'])
  assert.deepEqual(await two.ok('FETCH 4 (UID)'), ['* 4 FETCH (UID 5)'])
})

test('a session with EXPUNGE held back reports the lower HIGHESTMODSEQ (RFC 7162 §6)', async t => {
  const server = await startImap(t)
  const [one, two] = await withMessages(server, 3)
  await two.ok('ENABLE CONDSTORE')
  await one.ok('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await one.ok('EXPUNGE')
  await two.ok('STORE 2 +FLAGS.SILENT (\\Seen)')
  const { tagged } = await two.command('EXPUNGE')
  assert.match(tagged, /^OK \[HIGHESTMODSEQ \d+\]/)
})

test('IDLE tells of arrivals, flags and expunges as they happen (RFC 2177)', async t => {
  const [one, two] = await withMessages(await startImap(t), 2)
  two.send('i IDLE\r\n')
  assert.match((await two.line()) ?? '', /^\+ /)
  await one.append('INBOX', message('3'))
  assert.equal(await two.line(), '* 3 EXISTS')
  assert.equal(await two.line(), '* 1 RECENT')
  await one.ok('STORE 1 +FLAGS (\\Deleted)')
  assert.equal(await two.line(), '* 1 FETCH (FLAGS (\\Deleted))')
  await one.ok('EXPUNGE')
  assert.equal(await two.line(), '* 1 EXPUNGE')
  two.send('DONE\r\n')
  assert.equal((await two.answer('i')).status, 'OK')
  two.send('j IDLE\r\n')
  await two.line()
  two.send('FOO\r\n')
  assert.equal((await two.answer('j')).status, 'BAD')
})

test('with QRESYNC the server says VANISHED, also in IDLE (RFC 7162 §3.2.10)', async t => {
  const [one, two] = await withMessages(await startImap(t), 5)
  await two.ok('ENABLE QRESYNC')
  two.send('i IDLE\r\n')
  while (!((await two.line()) ?? '+').startsWith('+'));
  await one.ok('STORE 1:2,4 +FLAGS.SILENT (\\Deleted)')
  for (let count = 0; count < 3; count++)
    assert.match((await two.line()) ?? '', /^\* \d FETCH \(UID \d FLAGS \(\\Deleted\) MODSEQ \(\d+\)\)$/)
  await one.ok('EXPUNGE')
  assert.equal(await two.line(), '* VANISHED 1:2,4')
  two.send('DONE\r\n')
  await two.answer('i')
})

test('SELECT (QRESYNC) tells what was missed (RFC 7162 §3.2.5)', async t => {
  const server = await startImap(t)
  const [one, two] = await withMessages(server, 10)
  const lines = (await two.ok('SELECT INBOX')).join(' ')
  const validity = /UIDVALIDITY (\d+)/.exec(lines)?.[1]
  const modSeq = /HIGHESTMODSEQ (\d+)/.exec(lines)?.[1]
  await one.ok('STORE 3,5:6 +FLAGS.SILENT (\\Deleted)')
  await one.ok('EXPUNGE')
  await one.ok('UID STORE 8 +FLAGS.SILENT (\\Seen)')
  await one.append('INBOX', message('11'))
  const client = await server.client()
  assert.equal((await client.command(`SELECT INBOX (QRESYNC (${validity} ${modSeq}))`)).status, 'BAD')
  await client.ok('ENABLE QRESYNC')
  const resync = async (more: string) =>
    (await client.ok(`SELECT INBOX (QRESYNC (${validity} ${modSeq}${more}))`))
      .filter(line => /VANISHED|FETCH/.test(line))
      .map(line => line.replace(/MODSEQ \(\d+\)/, 'MODSEQ'))
  const all = [
    '* VANISHED (EARLIER) 3,5:6',
    '* 5 FETCH (UID 8 FLAGS (\\Seen) MODSEQ)',
    '* 8 FETCH (UID 11 FLAGS () MODSEQ)',
  ]
  const withoutRecent = (found: readonly string[]) => found.map(line => line.replace(/ ?\\Recent/, ''))
  assert.deepEqual(withoutRecent(await resync('')), all)
  assert.deepEqual(withoutRecent(await resync(' 1:10')), all.slice(0, 2))
  assert.deepEqual(withoutRecent(await resync(' 1:4')), ['* VANISHED (EARLIER) 3'])
  assert.deepEqual(withoutRecent(await resync(' 1:10 (1,4 1,4)')), all.slice(0, 2))
  const other = (await client.ok(`SELECT INBOX (QRESYNC (${Number(validity) + 7} ${modSeq}))`)).join('\n')
  assert.doesNotMatch(other, /VANISHED|FETCH/)
  for (const bad of ['(1)', '(1 0)', '(0 1)', '(1 2 *)', '(1 2 3 (1))', '1 2']) {
    assert.equal((await client.command(`SELECT INBOX (QRESYNC ${bad})`)).status, 'BAD', bad)
  }
})

/** What a client of the protocol may believe of a mailbox. */
class ClientModel {
  readonly uids: (number | undefined)[] = []
  readonly flags = new Map<number, string>()

  hear(line: string): void {
    const exists = /^\* (\d+) EXISTS$/.exec(line)
    if (exists) {
      assert.ok(Number(exists[1]) >= this.uids.length, 'EXISTS never shrinks')
      while (this.uids.length < Number(exists[1])) this.uids.push(undefined)
    }
    const expunge = /^\* (\d+) EXPUNGE$/.exec(line)
    if (expunge) {
      assert.ok(Number(expunge[1]) <= this.uids.length, 'EXPUNGE names a message that is there')
      const [gone] = this.uids.splice(Number(expunge[1]) - 1, 1)
      if (gone !== undefined) this.flags.delete(gone)
    }
    const fetch = /^\* (\d+) FETCH \((?:UID (\d+) ?)?(?:FLAGS \((.*?)\))?/.exec(line)
    if (fetch) {
      const at = Number(fetch[1]) - 1
      assert.ok(at < this.uids.length, 'FETCH names a message that is there')
      if (fetch[2] !== undefined) {
        assert.ok(
          this.uids[at] === undefined || this.uids[at] === Number(fetch[2]),
          'a message number keeps its UID',
        )
        this.uids[at] = Number(fetch[2])
      }
      const uid = this.uids[at]
      if (uid !== undefined && fetch[3] !== undefined) this.flags.set(uid, normal(fetch[3]))
    }
  }
}

const normal = (flags: string) =>
  flags
    .split(' ')
    .filter(flag => flag !== '' && flag !== '\\Recent')
    .sort()
    .join(' ')

/** The same numbers for the same seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

for (const seed of [1, 2, 3]) {
  test(`four sessions at random believe the truth in the end, and never misread a number (seed ${seed})`, async t => {
    const server = await startImap(t)
    const next = random(seed)
    const pick = (count: number) => 1 + Math.floor(next() * count)
    const clients = await Promise.all([1, 2, 3, 4].map(() => server.client()))
    const models = clients.map(() => new ClientModel())
    await clients[0]?.ok('CREATE box')
    const say = async (at: number, text: string) => {
      const answer = await (clients[at] as ImapClient).command(text)
      for (const line of answer.untagged) (models[at] as ClientModel).hear(line)
      assert.notEqual(answer.status, 'BAD', `${text}: ${answer.tagged}`)
      return answer
    }
    for (let at = 0; at < 4; at++) {
      await say(at, 'SELECT box')
      await say(at, 'UID FETCH 1:* (FLAGS)')
    }
    for (let step = 0; step < 400; step++) {
      // Two at once, so that commands of different sessions overlap.
      await Promise.all(
        [0, 1].map(async half => {
          const at = half * 2 + Math.floor(next() * 2)
          const model = models[at] as ClientModel
          const count = model.uids.length
          const kind = next()
          if (count === 0 || kind < 0.2) {
            const answer = await (clients[at] as ImapClient).append('box', message(`${step}`))
            for (const line of answer.untagged) model.hear(line)
          } else if (kind < 0.4)
            await say(
              at,
              `STORE ${pick(count)}:${pick(count)} ${next() < 0.5 ? '+' : '-'}FLAGS${next() < 0.5 ? '.SILENT' : ''} (${next() < 0.4 ? '\\Deleted' : `k${pick(3)}`})`,
            )
          else if (kind < 0.6) await say(at, `FETCH ${pick(count)}:${pick(count)} (UID FLAGS)`)
          else if (kind < 0.7) await say(at, 'EXPUNGE')
          else if (kind < 0.8) await say(at, `UID STORE ${pick(60)}:${pick(60)} FLAGS (\\Seen)`)
          else if (kind < 0.85) await say(at, `COPY ${pick(count)} box`)
          else if (kind < 0.9) await say(at, `SEARCH DELETED`)
          else await say(at, 'NOOP')
        }),
      )
    }
    for (let at = 0; at < 4; at++) await say(at, 'NOOP')
    const fresh = await server.client()
    const truth = new ClientModel()
    for (const line of await fresh.ok('SELECT box')) truth.hear(line)
    if (truth.uids.length > 0) for (const line of await fresh.ok('FETCH 1:* (UID FLAGS)')) truth.hear(line)
    for (let at = 0; at < 4; at++) {
      const model = models[at] as ClientModel
      assert.equal(model.uids.length, truth.uids.length)
      model.uids.forEach((uid, index) => {
        // A silent change of its own a client knows without being told.
        if (uid !== undefined) assert.equal(uid, truth.uids[index])
      })
      if (truth.uids.length > 0) await say(at, 'FETCH 1:* (UID FLAGS)')
      assert.deepEqual(model.uids, truth.uids)
      assert.deepEqual(new Map(model.flags), new Map(truth.flags))
    }
  })
}

test('expunges that the store has forgotten are found by comparing UIDs (RFC 7162 §3.2.5.2)', async t => {
  const server = await startImap(t)
  const [one, two] = await withMessages(server, 4)
  const lines = (await one.ok('SELECT INBOX')).join(' ')
  const [validity, modSeq] = [/UIDVALIDITY (\d+)/.exec(lines)?.[1], /HIGHESTMODSEQ (\d+)/.exec(lines)?.[1]]
  const round = async () => {
    await one.ok('UID STORE 5:* +FLAGS.SILENT (\\Deleted)')
    await one.ok('UID EXPUNGE 5:*')
  }
  // The first expunge is of a message that the others know; then more than the store keeps.
  await one.ok('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await one.ok('EXPUNGE')
  let count = 3
  while (count * 2 < limits.store.tombstones) {
    await one.ok('UID COPY 1:* INBOX')
    count *= 2
  }
  // So many that do not lie together that the thread's picture of the mailbox forgets them as well.
  for (let first = 5; first < 4 * limits.store.recentChanges + 1000; first += 8000) {
    const odd = Array.from({ length: 4000 }, (_unused, at) => first + 2 * at)
    await one.ok(`UID STORE ${odd.join(',')} +FLAGS.SILENT (\\Deleted)`)
  }
  await one.ok('EXPUNGE')
  await round()
  await one.ok('UID COPY 1:* INBOX')
  for (count = 6; count * 2 < limits.store.tombstones; count *= 2) await one.ok('UID COPY 1:* INBOX')
  await round()
  const { untagged } = await two.command('NOOP')
  const model = new ClientModel()
  model.uids.push(1, 2, 3, 4)
  for (const line of untagged) model.hear(line)
  assert.deepEqual(model.uids, [1, 3, 4])
  const late = await server.client()
  await late.ok('ENABLE QRESYNC')
  const resync = await late.ok(`SELECT INBOX (QRESYNC (${validity} ${modSeq} 1:6))`)
  assert.deepEqual(
    resync.filter(line => line.includes('VANISHED')),
    ['* VANISHED (EARLIER) 2,5:6'],
  )
})

test('.SILENT keeps nothing back that another session did to the same message (RFC 9051 §6.4.6)', async t => {
  const server = await startImap(t)
  const [client, other] = await withMessages(server, 2)
  await client.ok('FETCH 1:* FLAGS')
  await other.ok('STORE 1 +FLAGS (\\Flagged k1)')
  assert.deepEqual(await client.ok('STORE 1:2 +FLAGS.SILENT (\\Seen)'), [
    '* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft k1)',
    '* 1 FETCH (FLAGS (\\Seen \\Flagged \\Recent k1))',
  ])
  // What this session did before is known.
  assert.deepEqual(await client.ok('STORE 1:2 -FLAGS.SILENT (\\Seen)'), [])
  assert.deepEqual(await client.ok('NOOP'), [])
})

test('a client with CONDSTORE is told, too, how far it may resynchronise from while EXPUNGE waits (RFC 7162 §6)', async t => {
  const server = await startImap(t)
  const [client, other] = [await server.client(), await server.client()]
  for (const subject of ['one', 'two', 'three']) await client.append('INBOX', message(subject))
  const opened = (await client.ok('SELECT INBOX (CONDSTORE)')).join('\n')
  await client.ok('FETCH 1:* (UID FLAGS)')
  const before = /HIGHESTMODSEQ (\d+)/.exec(opened)?.[1]
  await other.ok('SELECT INBOX')
  await other.ok('STORE 2 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  const { untagged } = await client.command('STORE 1 +FLAGS.SILENT (\\Seen)')
  assert.match(untagged.at(-1) ?? '', new RegExp(`^\\* OK \\[HIGHESTMODSEQ ${before}\\]`))
  assert.deepEqual(await client.ok('NOOP'), ['* 2 EXPUNGE'])
})

test('while VANISHED waits, HIGHESTMODSEQ stays below it whatever MODSEQ was fetched, so that nothing is missed later (RFC 7162 §6)', async t => {
  const server = await startImap(t)
  const [client, other] = [await server.client(), await server.client()]
  for (const subject of ['one', 'two', 'three']) await client.append('INBOX', message(subject))
  await client.ok('ENABLE QRESYNC')
  const opened = (await client.ok('SELECT INBOX')).join('\n')
  await client.ok('FETCH 1:* (UID FLAGS)')
  const [, before] = /HIGHESTMODSEQ (\d+)/.exec(opened) as unknown as [string, string]
  const [, validity] = /UIDVALIDITY (\d+)/.exec(opened) as unknown as [string, string]
  await other.ok('SELECT INBOX')
  await other.ok('STORE 2 +FLAGS (\\Deleted)')
  await other.ok('EXPUNGE')
  await other.ok('STORE 1 +FLAGS (\\Flagged)')
  const held = await client.command('FETCH 1 FLAGS')
  assert.match(held.untagged.join('\n'), /1 FETCH .*Flagged.* MODSEQ/)
  assert.doesNotMatch(held.untagged.join('\n'), /VANISHED/)
  assert.match(held.untagged.at(-1) ?? '', new RegExp(`^\\* OK \\[HIGHESTMODSEQ ${before}\\]`))
  const stored = await client.command('STORE 3 +FLAGS.SILENT (\\Seen)')
  assert.match(stored.untagged.at(-1) ?? '', new RegExp(`^\\* OK \\[HIGHESTMODSEQ ${before}\\]`))
  const again = await server.client()
  await again.ok('ENABLE QRESYNC')
  assert.match(
    (await again.ok(`SELECT INBOX (QRESYNC (${validity} ${before}))`)).join('\n'),
    /VANISHED \(EARLIER\) 2/,
  )
  // Where nothing waits nothing is said.
  assert.deepEqual(await client.ok('NOOP'), ['* VANISHED 2'])
  assert.equal((await client.ok('FETCH 1 UID')).length, 1)
  await other.ok('NOOP')
  await other.ok('STORE 1 -FLAGS (\\Flagged)')
  assert.doesNotMatch((await client.ok('FETCH 1 UID')).join('\n'), /HIGHESTMODSEQ/)
})
