import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { commands } from '../../src/imap/commands.ts'
import { flawOf } from './fuzz/response.ts'
import { grammar } from './fuzz/grammar.ts'
import { runFuzz } from './fuzz/run-fuzz.ts'
import { startImap } from './harness.ts'

test('the grammar of the fuzz has a rule for each command of the table, and no other', () => {
  const names = [...new Set(commands.map(({ name }) => name))].toSorted()
  assert.deepEqual(Object.keys(grammar).toSorted(), names)
})

test('flaws in responses are found', () => {
  for (const line of [
    '* LIST () "/" INBOX',
    '* 1 FETCH (BODY[] {2}\r\n)( UID 1)',
    '* OK ) "',
    '* 1 FETCH (X "\\")(")',
  ])
    assert.equal(flawOf(line), undefined, line)
  for (const line of ['* LIST ( "/" INBOX', '* LIST () "/ INBOX', '* 1 FETCH (UID 1))', '* OK a\0b'])
    assert.notEqual(flawOf(line), undefined, line)
})

test('no input whatever is a fault of the server: each command is answered once, and the session goes on', async t => {
  const violations: string[] = []
  const log: Log = {
    ...silentLog,
    error: ({ error }, message) =>
      void violations.push(`${message}: ${error instanceof Error ? error.stack : ''}`),
    child: () => log,
  }
  const server = await startImap(t, { log })
  await runFuzz({
    port: server.port,
    seed: 20260302,
    count: 4000,
    connections: 4,
    judge: { violation: text => void violations.push(text), patienceMs: 60_000 },
  })
  assert.deepEqual(violations.slice(0, 3), [])
})
