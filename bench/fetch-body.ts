// How fast are 2,000 realistic messages fetched whole, by one command and one by one?
import { beginCold, rowOf, withCold } from './cold.ts'
import { fill, select } from './mailboxes.ts'
import { realisticMessage } from './messages.ts'
import type { Question } from './question.ts'

const account = 161

export const fetchBodyQuestion: Question = {
  name: 'fetch-body',
  title: 'BODY.PEEK[] of 2,000 realistic messages (about 160 MB), warm page cache',
  boundBy:
    'Both: copying from the page cache to the socket, and the client reading it; one by one the round trip.',
  shortfall:
    'One by one it is the round trip (a NOOP is a third of the CPU), then copies in the kernel, and a header of 64 bytes that is read before each body of more than 32 KB.',
  warmUps: 12,
  rows: withCold({
    bodyAll: { title: 'one command', unit: 'MB/s', target: 1.5 },
    bodyEach: { title: 'one by one', unit: 'per second', target: 1.5 },
  }),
  async prepare(bench) {
    await fill(bench.server, account, 'real', bench.count(2000), realisticMessage)
  },
  async run(bench) {
    await beginCold(bench)
    const count = bench.count(2000)
    const client = await select(bench.server, account, 'real')
    let expected = 0
    for (let number = 0; number < count; number++) expected += realisticMessage(number).length
    let received = 0
    await bench.time(rowOf(bench, 'bodyAll'), expected / 1e6, async () => {
      received = await client.drain('UID FETCH 1:* (BODY.PEEK[])')
    })
    if (received < expected || received > expected + count * 100)
      throw new Error(`${received} bytes of ${expected}`)
    await bench.time(rowOf(bench, 'bodyEach'), count, async () => {
      for (let uid = 1; uid <= count; uid++) await client.drain(`UID FETCH ${uid} (BODY.PEEK[])`)
    })
    await client.logout()
  },
}
