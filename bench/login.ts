// How fast can clients connect, log in, select and log out, 8 at once?
import { beginCold, rowOf, withCold } from './cold.ts'
import { ImapClient } from './imap-client.ts'
import { fill, together } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Bench, Question } from './question.ts'
import { password, user } from './server.ts'

const atOnce = 8

export const loginQuestion: Question = {
  name: 'login',
  title: 'Connect + log in + SELECT + LOGOUT, 8 at once, plain text on loopback but where it says TLS',
  boundBy:
    'Both: CPU. Dovecot hands the connection from its login process to a mail process; both keep verified passwords for a while.',
  shortfall:
    "node:net that gives fixed answers and does nothing else takes a third of Dovecot's CPU for a session, which is all that three times as fast would leave (measured on a slower day: 250 of 700 us), and the client more than that. The profile is flat: calls of the kernel 24 % (writes 10, accept 8), SQLite 8 %, the end of streams 7 %, and the rest in small shares. It would take a socket layer below node:net, whose handle is private.",
  warmUps: 8,
  rows: withCold({
    login: { title: 'log-ins', unit: 'per second', target: 3 },
    loginTls: { title: 'log-ins over TLS 1.3, each with a handshake of its own', unit: 'per second' },
  }),
  async prepare(bench) {
    for (let worker = 0; worker < atOnce; worker++)
      await fill(bench.server, 150 + worker, 'INBOX', 50, smallMessage)
  },
  async run(bench) {
    await beginCold(bench)
    await logIn(bench, 'login', bench.count(2000), false)
    await logIn(bench, 'loginTls', bench.count(800), true)
  },
}

async function logIn(bench: Bench, row: string, count: number, tls: boolean): Promise<void> {
  const { ports } = bench.server
  const each = Math.ceil(count / atOnce)
  await bench.time(rowOf(bench, row), each * atOnce, () =>
    together(atOnce, async worker => {
      const port = tls ? ports.imaps : ports.imap
      for (let left = each; left > 0; left--) {
        const client = await ImapClient.login({ port, tls }, user(150 + worker), password)
        await client.drain('SELECT INBOX')
        await client.logout()
      }
    }),
  )
}
