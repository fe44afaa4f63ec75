// How long does SELECT of 100,000 messages take, after a restart and on a fresh connection of a warm server?
import { big, fillBig, login, settle } from './mailboxes.ts'
import type { Question } from './question.ts'

/** Sessions that make a server warm. */
const before = 300

export const selectQuestion: Question = {
  name: 'select',
  title: 'SELECT of 100,000 messages',
  boundBy:
    'After a restart both read an index (Restante: a packed snapshot) from the page cache; warm, Restante has the snapshot in memory and Dovecot maps its index file in a new process.',
  shortfall:
    'One that is repeated on a connection takes 190 us of CPU, a third of it the write to the socket and a fifth the row of the mailbox; what the first of a session takes beyond that is not profiled yet. The first of a process is code that V8 has not compiled yet beyond what four rounds of a rehearsal do; 24 rounds changed nothing.',
  rows: {
    selectCold: { title: 'the first after a restart of the server', unit: 'ms', target: 1 },
    selectWarm: { title: `fresh connection, after ${before} others`, unit: 'ms', target: 2 },
  },
  prepare: fillBig,
  async run(bench) {
    await bench.server.restart()
    // What it does by itself after a start is no part of the question.
    await settle(bench.server)
    const first = await login(bench.server, big.account)
    await bench.time('selectCold', 1, () => first.drain(`SELECT ${big.mailbox}`))
    await first.logout()
    const timed = 20
    for (let left = before + timed; left > 0; left--) {
      const client = await login(bench.server, big.account)
      const select = () => client.drain(`SELECT ${big.mailbox}`)
      await (left > timed ? select() : bench.time('selectWarm', 1, select))
      await client.logout()
    }
  },
}
