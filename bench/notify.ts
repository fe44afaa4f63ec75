// How long after an APPEND begins do sessions in IDLE hear EXISTS?
import { login, select, together } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Bench, Question } from './question.ts'
import { percentile } from './statistics.ts'

const account = 164

export const notifyQuestion: Question = {
  name: 'notify',
  title: 'From the APPEND being sent to EXISTS in IDLE',
  boundBy:
    'Dovecot: a delay before it looks after a change of the file (inotify). Restante: the commit, then a hint to each session.',
  shortfall:
    "EXISTS comes within 0.6 ms of APPEND's own OK, so it is the commit: a sync and two hops between threads.",
  warmUps: 4,
  rows: {
    notify1: { title: '1 watcher, p50', unit: 'ms', target: 150 },
    notify100: { title: '100 watchers of one mailbox, p99', unit: 'ms', target: 35 },
  },
  async run(bench) {
    await bench.measure('notify1', async () => percentile(await latencies(bench, 1, 15), 0.5))
    await bench.measure('notify100', async () => percentile(await latencies(bench, 100, 5), 0.99))
  },
}

/** Milliseconds from the APPEND to EXISTS, for each watcher and each of `rounds` messages. */
async function latencies(bench: Bench, watchers: number, rounds: number): Promise<number[]> {
  const clients = await together(watchers, () => select(bench.server, account, 'INBOX'))
  await together(watchers, async worker => clients[worker]?.idle())
  const sender = await login(bench.server, account)
  const found: number[] = []
  for (let round = 0; round < rounds; round++) {
    const message = smallMessage((bench.repetition + 10) * 10_000 + watchers * 20 + round)
    const heard = together(watchers, async worker => {
      await clients[worker]?.heard(' EXISTS')
      return performance.now()
    })
    const sentAt = performance.now()
    const [times] = await Promise.all([heard, sender.append('INBOX', [message])])
    for (const at of times) found.push(at - sentAt)
    // Not in step with anything the server does by the clock.
    await new Promise(resolve => setTimeout(resolve, 20 + ((round * 37) % 100)))
  }
  await together(watchers, async worker => {
    await clients[worker]?.done()
    await clients[worker]?.logout()
  })
  await sender.logout()
  return found
}
