import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { limits } from '../../src/base/limits.ts'
import { TurnQueue } from '../../src/net/turn-queue.ts'
import { listen } from './pair.ts'

test('a turn of the loop has room until its time is over', () => {
  let now = 0
  let turn = 1
  const queue = new TurnQueue({ now: () => now, turn: () => turn })
  assert.equal(queue.hasRoom(), true)
  now += limits.net.loopTurnMs - 0.1
  assert.equal(queue.hasRoom(), true)
  now += 0.1
  assert.equal(queue.hasRoom(), false)
  turn++
  assert.equal(queue.hasRoom(), true)
})

test('those in line go on in order, as many in a turn as there is time for, and nobody comes before them', async () => {
  let now = 0
  let turn = 0
  const queue = new TurnQueue({ now: () => now, turn: () => turn })
  let record = ''
  const { promise, resolve } = Promise.withResolvers<void>()
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  // First in each turn's immediates, from the first on.
  const observe = () => {
    record += '|'
    turn++
    if (record.includes('z')) resolve()
    else setImmediate(observe)
  }
  setImmediate(observe)
  for (const letter of letters) {
    queue.wait(() => {
      // What a promise sets going counts as well.
      queueMicrotask(() => {
        record += letter
        now += limits.net.loopTurnMs * 0.4
      })
    })
    assert.equal(queue.hasRoom(), false)
  }
  await promise
  assert.equal(record, '|abc|def|ghi|jkl|mno|pqr|stu|vwx|yz|')
})

test('timers have their turn while many connections have a command at once', async t => {
  const count = 60
  const burnMs = limits.net.loopTurnMs / 2
  let accepted = 0
  let handled = 0
  const allAccepted = Promise.withResolvers<void>()
  const listener = await listen(t, {
    async handle(connection) {
      if (++accepted === count) allAccepted.resolve()
      for (let line = await connection.readLine(10); line; line = await connection.readLine(10)) {
        const until = performance.now() + burnMs
        while (performance.now() < until);
        handled++
        connection.write('ok\r\n')
      }
    },
  })
  const clients = Array.from({ length: count }, () => connect(listener.port, '127.0.0.1'))
  t.after(() => clients.forEach(client => client.destroy()))
  await allAccepted.promise
  for (const client of clients) if (client.readyState !== 'open') await once(client, 'connect')
  let most = 0
  let before = 0
  const timer = setInterval(() => {
    most = Math.max(most, handled - before)
    before = handled
  }, 1)
  t.after(() => clearInterval(timer))
  const answers = clients.map(client => once(client, 'data'))
  for (const client of clients) client.write('x\r\n')
  await Promise.all(answers)
  assert.equal(handled, count)
  // Some before new input is looked at and some after it.
  assert.ok(most <= 10, `${most} commands without a turn for timers`)
})
