import assert from 'node:assert/strict'
import { test } from 'node:test'
import { holdSession } from '../../src/account/rehearsal.ts'
import type { Connection } from '../../src/net/connection.ts'

const script = {
  commands: ['one', 'two'],
  rounds: 2,
  farewell: 'bye',
  outcomeOf: (command: string, tail: string) => (tail.endsWith('.\n') ? tail === `${command}.\n` : undefined),
}

test('a session is asked each command in each round, then the farewell, and gives those that were refused', async () => {
  const asked: string[] = []
  const serve = async (connection: Connection) => {
    for (;;) {
      const line = await connection.readLine(100)
      if (line === undefined) break
      asked.push(line.toString())
      connection.write(line)
      connection.flush()
      connection.write(asked.length === 3 ? ' not.\n' : '.\n')
    }
    connection.close()
  }
  assert.deepEqual(await holdSession(serve, script, () => true), ['one'])
  assert.deepEqual(asked, ['one', 'two', 'one', 'two', 'bye'])
})

test('a session that ends before its end refuses what is left', async () => {
  const serve = async (connection: Connection) => {
    const line = await connection.readLine(100)
    connection.write(`${String(line)}.\n`)
    await connection.readLine(100)
    connection.close()
  }
  assert.deepEqual(await holdSession(serve, script, () => true), ['two', 'one', 'two', 'bye'])
})
