// No command may hold the event loop of its thread, however many messages it is about.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { stepsPerBreath } from '../../src/base/breathe.ts'
import { imapConfig } from '../../src/imap/config.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import type { ImapClient } from './client.ts'
import { fill } from './fetch/mailbox.ts'
import { message, startImap } from './harness.ts'

const stretches = 3

/** A client in a large mailbox, whose connection finds the time of its turn over at each look at the clock, so that whoever breathes gives way. */
async function openLarge(t: TestContext, atEachLook: () => void): Promise<ImapClient> {
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
  return client
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
  await work
  isDone = true
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
