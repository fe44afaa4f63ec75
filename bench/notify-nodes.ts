// How long after an APPEND on one node does a session in IDLE on another hear EXISTS?
import { login, select } from './mailboxes.ts'
import { smallMessage } from './messages.ts'
import type { Question } from './question.ts'
import { percentile } from './statistics.ts'

const account = 165

export const notifyNodesQuestion: Question = {
  name: 'notify-nodes',
  title: 'From the APPEND being sent to EXISTS in IDLE, on another node where there is one',
  boundBy: 'The commit, then NOTIFY.',
  repetitions: 3,
  rows: {
    p50: { title: 'p50', unit: 'ms' },
    p99: { title: 'p99', unit: 'ms' },
  },
  async run(bench) {
    const watcher = await select(bench.server, account, 'INBOX')
    await watcher.idle()
    const sender = await login(bench.server, account)
    const found: number[] = []
    for (let round = 0; round < bench.count(100); round++) {
      const message = smallMessage((bench.repetition + 2) * 10_000 + round)
      const sentAt = performance.now()
      const heardAt = watcher.heard(' EXISTS').then(() => performance.now())
      await sender.append('INBOX', [message])
      found.push((await heardAt) - sentAt)
    }
    bench.note('p50', percentile(found, 0.5))
    bench.note('p99', percentile(found, 0.99))
    await watcher.done()
    await watcher.logout()
    await sender.logout()
  },
}
