// No command may hold the event loop of its thread, however many messages it is about.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { stepsPerBreath } from '../../src/base/breathe.ts'
import type { MailboxId } from '../../src/base/ids.ts'
import { answered } from '../../src/store/flags.ts'
import { imapConfig } from '../../src/imap/config.ts'
import { Encoder } from '../../src/imap/encoder.ts'
import { Connection } from '../../src/net/connection.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import type { ImapClient } from './client.ts'
import { fill } from './fetch/mailbox.ts'
import { message, startImap } from './harness.ts'

const stretches = 3

/** A client in a large mailbox, whose connection finds the time of its turn over at each look at the clock, so that whoever breathes gives way. */
async function openLarge(t: TestContext, atEachLook: () => void): Promise<ImapClient> {
  return (await startLarge(t, atEachLook)).client
}

async function startLarge(t: TestContext, atEachLook: () => void) {
  let nowMs = 0
  const now = () => {
    atEachLook()
    return (nowMs += 6)
  }
  const config = { imap: imapConfig.parse({ progressMs: 1 }) }
  const server = await startImap(t, { config }, {}, {}, new Deadlines({ now }))
  const messages = Array.from({ length: stretches * stepsPerBreath }, (_unused, at) => ({
    bytes: Buffer.from(message(String(at), '', `References: <${at >>> 1}@example.test>\r\n`)),
  }))
  await fill(server.store, server.account, messages)
  const client = await server.client()
  await client.ok('SELECT INBOX')
  return { client, server }
}

/** How many turns of the event loop go by. */
async function turnsOf(work: Promise<unknown>): Promise<number> {
  let turns = 0
  let isDone = false
  const count = () => {
    turns++
    if (!isDone) setImmediate(count)
  }
  count()
  try {
    await work
  } finally {
    isDone = true
  }
  return turns
}

/** So often each goes through all the messages. */
const passes = {
  'UID SEARCH UNSEEN': 3,
  'UID SORT (ARRIVAL) UTF-8 ALL': 9,
  'UID SORT (DATE) UTF-8 ALL': 14,
  'UID SORT (SUBJECT) UTF-8 ALL': 17,
  'UID THREAD ORDEREDSUBJECT UTF-8 ALL': 29,
  'UID THREAD REFERENCES UTF-8 ALL': 33,
  'UID THREAD REFS UTF-8 ALL': 33,
}

test('SEARCH, SORT and THREAD let others run in each pass over a mailbox', async t => {
  const client = await openLarge(t, () => {})
  for (const [command, count] of Object.entries(passes)) {
    const turns = await turnsOf(client.ok(command))
    assert.ok(turns >= count * stretches, `${command}: ${turns} turns`)
  }
})

test('a line that is written in pieces has no other in it (RFC 9585)', async t => {
  let isSlow = false
  const client = await openLarge(t, () => {
    // Until the next report of progress is due.
    if (isSlow) for (const end = performance.now() + 2; performance.now() < end; );
  })
  isSlow = true
  for (const command of ['SORT (ARRIVAL) UTF-8', 'SEARCH', 'SEARCH RETURN (ALL)', 'THREAD REFS UTF-8']) {
    const said = await client.ok(`${command} OR UID 1:* SEEN`)
    const answers = said.filter(line => !line.includes('INPROGRESS'))
    assert.ok(answers.length < said.length, 'progress is reported')
    assert.equal(answers.length, 1)
    assert.match(answers[0] as string, /^\* (SORT|SEARCH|ESEARCH|THREAD) [^*]+$/)
  }
})

test('what has changed in a mailbox is told in several turns, with the numbers that the client knows', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  await client.ok(`STORE 2:${last - 1} +FLAGS.SILENT (\\Deleted)`)
  let said: readonly string[] = []
  const turns = await turnsOf(client.ok('EXPUNGE').then(lines => (said = lines)))
  // The messages are looked at, then those that are gone, and then they are told.
  assert.ok(turns >= 3 * stretches, `${turns} turns`)
  const expunged = said.filter(line => line.endsWith(' EXPUNGE'))
  assert.deepEqual(
    expunged,
    Array.from({ length: last - 2 }, (_unused, at) => `* ${last - 1 - at} EXPUNGE`),
  )
  assert.deepEqual(await client.ok('FETCH 1:* (UID)'), ['* 1 FETCH (UID 1)', `* 2 FETCH (UID ${last})`])
})

test('a MOVE of many is told in several turns, as one list of what went where and one of what has gone (RFC 6851; RFC 7162)', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  await client.ok('CREATE moved')
  await client.ok('UNSELECT')
  await client.ok('ENABLE QRESYNC')
  await client.ok('SELECT INBOX')
  const odd = Array.from({ length: last / 2 }, (_unused, at) => at * 2 + 1).join(',')
  let said: readonly string[] = []
  const turns = await turnsOf(client.ok(`UID MOVE ${odd} moved`).then(lines => (said = lines)))
  // The list of sources, those that the client knows of what has gone, and their list.
  assert.ok(turns >= 3 * stretches, `${turns} turns`)
  const [moved = '', gone] = said.filter(line => !line.includes('INPROGRESS'))
  assert.match(moved, new RegExp(`^\\* OK \\[COPYUID \\d+ ${odd} 1:${last / 2}\\] `))
  assert.equal(gone, `* VANISHED ${odd}`)
  const left = await client.ok('FETCH 1:* (UID)')
  assert.deepEqual(
    left.filter(line => !line.includes('INPROGRESS')),
    Array.from({ length: last / 2 }, (_unused, at) => `* ${at + 1} FETCH (UID ${at * 2 + 2})`),
  )
})

/** The lines that are no report of progress. */
function answersIn(lines: readonly string[]): readonly string[] {
  return lines.filter(line => !line.includes('INPROGRESS'))
}

async function stateOf(client: ImapClient): Promise<{ uidValidity: number; modSeq: number }> {
  const said = await client.ok('STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)')
  const status = said.find(line => line.startsWith('* STATUS')) ?? ''
  const [, uidValidity, modSeq] = /UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)/.exec(status) ?? []
  return { uidValidity: Number(uidValidity), modSeq: Number(modSeq) }
}

/** Numbers from `first` to `last`. */
function numbers(first: number, last: number, step = 1): number[] {
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_unused, at) => first + at * step)
}

test('a STORE of many answers in several turns, to its client and to another (RFC 9051 §6.4.6; RFC 7162 §3.1.3)', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  let said: readonly string[] = []
  const ask = async (command: string) => {
    const turns = await turnsOf(client.ok(command).then(lines => (said = answersIn(lines))))
    assert.ok(turns >= stretches, `${command}: ${turns} turns`)
  }
  await ask('UID STORE 1:* +FLAGS (\\Flagged)')
  assert.deepEqual(
    said,
    numbers(1, last).map(uid => `* ${uid} FETCH (UID ${uid} FLAGS (\\Flagged \\Recent))`),
  )
  await client.ok('ENABLE CONDSTORE')
  const { modSeq } = await stateOf(client)
  const odd = numbers(1, last, 2)
  await ask(`STORE ${odd.join(',')} -FLAGS.SILENT (\\Flagged)`)
  assert.deepEqual(
    said,
    odd.map(number => `* ${number} FETCH (MODSEQ (${modSeq + 1}))`),
  )
  const breaths = t.mock.method(Connection.prototype, 'breathe').mock
  const { tagged } = await client.command(`UID STORE 1:* (UNCHANGEDSINCE ${modSeq}) +FLAGS (\\Answered)`)
  // The answer, the list of those that were refused, and what is told at the end.
  assert.ok(breaths.callCount() >= 2 * stretches + 2, `${breaths.callCount()} breaths`)
  assert.match(tagged, new RegExp(`^OK \\[MODIFIED ${odd.join(',')}\\] `))
})

test('what a client has missed is told in several turns (RFC 7162 §3.2.5, §3.2.6)', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  const { uidValidity, modSeq } = await stateOf(client)
  const odd = numbers(1, last, 2)
  await client.ok(`UID STORE ${odd.join(',')} +FLAGS.SILENT (\\Deleted)`)
  await client.ok('EXPUNGE')
  await client.ok('UID STORE 1:* +FLAGS.SILENT (\\Seen)')
  await client.ok('ENABLE QRESYNC')
  await client.ok('UNSELECT')
  let said: readonly string[] = []
  const asked = client.ok(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)
  const turns = await turnsOf(asked.then(lines => (said = answersIn(lines))))
  // Those that are gone are gathered and told, and then those that have other flags.
  assert.ok(turns >= 2.5 * stretches, `${turns} turns`)
  const told = said.filter(line => /VANISHED|FETCH/.test(line))
  assert.equal(told[0], `* VANISHED (EARLIER) ${odd.join(',')}`)
  assert.equal(told.length, 1 + last / 2)
  for (const [at, line] of told.slice(1).entries())
    assert.ok(line.startsWith(`* ${at + 1} FETCH (UID ${(at + 1) * 2} FLAGS (\\Seen`), line)
})

test('batches of UIDs are told in several turns (RFC 10022)', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  let said: readonly string[] = []
  const turns = await turnsOf(client.ok('UIDBATCHES 1').then(lines => (said = answersIn(lines))))
  assert.ok(turns >= stretches, `${turns} turns`)
  const batches = numbers(1, last).reverse()
  assert.deepEqual(
    said.map(line => line.replace(/\(TAG "[^"]+"\)/, '(TAG)')),
    [`* UIDBATCHES (TAG) ${batches.map(uid => `${uid}:${uid}`).join(',')}`],
  )
})

test('a search that is kept up to date lets others run (RFC 5267 §4.3)', async t => {
  const client = await openLarge(t, () => {})
  const last = stretches * stepsPerBreath
  let said: readonly string[] = []
  const ask = async (command: string, passes: number) => {
    const turns = await turnsOf(client.ok(command).then(lines => (said = answersIn(lines))))
    assert.ok(turns >= passes * stretches, `${command}: ${turns} turns`)
    return said.at(-1)?.replace(/\(TAG "[^"]+"\)/, '(TAG)')
  }
  // All are looked at, those that match are counted, and are kept.
  await ask('UID SEARCH RETURN (UPDATE COUNT) UNFLAGGED', 3)
  const odd = numbers(1, last, 2).join(',')
  // What has changed, whether it matches, what goes, and how that is written.
  assert.equal(
    await ask(`UID STORE ${odd} +FLAGS.SILENT (\\Flagged)`, 3),
    `* ESEARCH (TAG) UID REMOVEFROM (0 ${odd})`,
  )
  assert.equal(
    await ask(`UID STORE ${odd} -FLAGS.SILENT (\\Flagged)`, 3),
    `* ESEARCH (TAG) UID ADDTO (0 ${odd})`,
  )
  await client.ok('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
  await ask('EXPUNGE', 4)
  assert.equal(
    said.find(line => line.startsWith('* ESEARCH'))?.replace(/\(TAG "[^"]+"\)/, '(TAG)'),
    `* ESEARCH (TAG) UID REMOVEFROM (0 1:${last})`,
  )
})

test('whoever is told much is waited for while he reads slowly', async t => {
  const client = await openLarge(t, () => {})
  await client.ok('ENABLE QRESYNC')
  const { uidValidity, modSeq } = await stateOf(client)
  const looks = t.mock.method(Encoder.prototype, 'drainIfBehind').mock
  const ask = async (command: string) => {
    looks.resetCalls()
    await client.ok(command)
    assert.ok(looks.callCount() >= stretches, `${command}: ${looks.callCount()} looks`)
  }
  await ask('UID STORE 1:* +FLAGS (\\Flagged)')
  await ask('UID STORE 1:* +FLAGS.SILENT (\\Seen)')
  await ask(`SELECT INBOX (QRESYNC (${uidValidity} ${modSeq}))`)
  await ask('UIDBATCHES 1')
  await client.ok('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
  await ask('EXPUNGE')
})

test('what changes again while it is told is told later, so that nobody believes to know more than he does (RFC 7162 §6)', async t => {
  const { client, server } = await startLarge(t, () => {})
  const last = stretches * stepsPerBreath
  const other = await server.client()
  await other.ok('SELECT INBOX')
  await client.ok('ENABLE CONDSTORE')
  const mailbox = (
    await server.store.reader.get<{ id: MailboxId }>("SELECT id FROM mailbox WHERE name = 'INBOX'")
  )?.id as MailboxId
  const place = { account: server.account, mailbox }
  /** Once it is asked, and before all of it is told, another message goes and the last one changes. */
  const askAndChange = async (command: string, gone: number) => {
    let changed: Promise<void> | undefined
    const { drainIfBehind } = Encoder.prototype
    const pauses = t.mock.method(Encoder.prototype, 'drainIfBehind', function (this: Encoder) {
      if (pauses.mock.callCount() !== 1) return drainIfBehind.call(this)
      changed = change()
      return changed
    })
    const change = async () => {
      const flags = { system: answered, keywords: [] }
      await server.store.mutate('expungeMessages', { ...place, uids: [[gone, gone]], onlyDeleted: false })
      await server.store.mutate('storeFlags', { ...place, uids: [[last, last]], mode: 'add', flags })
      // Whoever looks at the mailbox brings the picture of all up to date.
      await server.store.snapshot(server.account, mailbox)
    }
    const lines = answersIn(await client.ok(command))
    pauses.mock.restore()
    assert.ok(changed)
    await changed
    await server.store.mutate('storeFlags', {
      ...place,
      uids: [[last, last]],
      mode: 'remove',
      flags: { system: answered, keywords: [] },
    })
    return lines.flatMap(line => {
      const modSeq = / FETCH .*MODSEQ \((\d+)\)/.exec(line)?.[1]
      return modSeq === undefined ? [] : [Number(modSeq)]
    })
  }
  await other.ok('UID STORE 1:* +FLAGS.SILENT (\\Flagged)')
  const { modSeq } = await stateOf(other)
  const told = await askAndChange('NOOP', 5)
  assert.deepEqual([...new Set(told)], [modSeq])
  assert.ok(told.length >= last - 1)
  await client.ok('NOOP')
  const before = (await stateOf(client)).modSeq
  const stored = await askAndChange('UID STORE 1:* -FLAGS.SILENT (\\Flagged)', 6)
  assert.ok(stored.length >= last - 2)
  // But for the last, whose flags are told with what the other has done.
  assert.deepEqual([...new Set(stored.slice(0, last - 2))], [before + 1])
  assert.deepEqual([...new Set(stored.slice(last - 2))], [before + 3])
})
