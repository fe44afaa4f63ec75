// How fast is POP3: log-ins 16 at once, UIDL and RETR of 1,000 messages?
import { beginCold, rowOf, withCold } from './cold.ts'
import { fill, together } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import { Pop3Client } from './pop3-client.ts'
import type { Bench, Question } from './question.ts'
import { password, user } from './server.ts'

const atOnce = 16
const account = 170

export const pop3Question: Question = {
  name: 'pop3',
  title: 'POP3',
  boundBy: 'Log-ins: CPU. RETR one by one: the round trip and opening the message.',
  shortfall:
    'Log-ins: as with IMAP. RETR: the round trip is half of it, and what that takes hangs on whether Linux wakes the client and the thread on one processor or on two: 29 to 70 us of CPU for each in one and the same session (Dovecot 53 to 59).',
  warmUps: 12,
  rows: withCold({
    pop3Login: { title: 'connect + USER + PASS + QUIT, 16 at once', unit: 'per second', target: 3 },
    uidl: { title: 'UIDL of 1,000', unit: 'ms', target: 1 },
    retr: { title: 'RETR of 1,000 small messages, one by one', unit: 'per second', target: 1.5 },
  }),
  async prepare(bench) {
    await fill(bench.server, account, 'INBOX', bench.count(1000), smallMessage)
    for (let worker = 1; worker <= atOnce; worker++)
      await fill(bench.server, account + worker, 'INBOX', 20, smallMessage)
  },
  async run(bench) {
    await beginCold(bench)
    const each = Math.ceil(bench.count(1600) / atOnce)
    await bench.time(rowOf(bench, 'pop3Login'), each * atOnce, () =>
      together(atOnce, async worker => {
        for (let left = each; left > 0; left--) await (await open(bench, account + 1 + worker)).quit()
      }),
    )
    const client = await open(bench, account)
    for (let left = 3; left > 0; left--)
      await bench.time(rowOf(bench, 'uidl'), 1, () => client.askLines('UIDL'))
    const count = bench.count(1000)
    await bench.time(rowOf(bench, 'retr'), count, async () => {
      for (let number = 1; number <= count; number++) await client.askLines(`RETR ${number}`)
    })
    await client.quit()
  },
}

function open(bench: Bench, number: number): Promise<Pop3Client> {
  return Pop3Client.login({ port: bench.server.ports.pop3 }, user(number), password)
}
