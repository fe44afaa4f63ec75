// How long does SELECT of 100,000 messages take, after a restart and on a fresh connection of a warm server?
import { big, fillBig, login, restartToRest } from './mailboxes.ts'
import type { Question } from './question.ts'

/** Sessions that make a server warm. */
const before = 1500

export const selectQuestion: Question = {
  name: 'select',
  title: 'SELECT of 100,000 messages',
  boundBy:
    'After a restart both read an index (Restante: a packed snapshot) from the page cache; warm, Restante has the snapshot in memory and Dovecot maps its index file in a new process.',
  shortfall:
    'A fresh connection: after 300 sessions it takes twice the CPU that it takes after 1,500, when it is what Dovecot takes: V8 compiles a function after some hundred calls, and those of a log-in and a SELECT run once a session. A third of what is left is the write to the socket, a fifth the row of the mailbox. After a restart it is code that has run only in the four rounds of a rehearsal; 24 and 60 rounds changed nothing, and neither did V8 told to compile sooner (--invocation-count-for-maglev=100: a third less in the first hundreds of sessions, nothing to be told in the other questions). It would take code that V8 keeps compiled over a restart.',
  rows: {
    selectCold: { title: 'the first after a restart of the server', unit: 'ms', target: 1 },
    selectWarm: { title: `fresh connection, after ${before} others`, unit: 'ms', target: 2 },
  },
  prepare: fillBig,
  async run(bench) {
    // What it does by itself after a start is no part of the question.
    await restartToRest(bench.server)
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
