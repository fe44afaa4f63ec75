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
    "A fresh connection: a third of it is the write to the socket, a fifth the row of the mailbox. After a restart it is code that has run in the four rounds of a rehearsal, step by step in V8's interpreter: 60 us for the command's line, 100 for the row of the mailbox, 150 for the packed header and what is made of it, 130 for the lines of the answer, and as much again for the stream and the socket. 24 and 60 rounds changed nothing, nor did V8 told to compile sooner; all code compiled at the start (--no-lazy) takes a quarter less, and 28 MB. It would take code that V8 keeps compiled over a restart: Node's compile cache holds what a module has when it is loaded, and none of the functions that run later.",
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
