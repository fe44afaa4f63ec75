// Fills mailboxes for the questions, the same on every server.
import { ImapClient } from './imap-client.ts'
import { smallMessage } from './messages.ts'
import { cpuMicroseconds } from './process-tree.ts'
import type { Bench } from './question.ts'
import { type Server, password, user } from './server.ts'

/** The account and mailbox of many small messages that several questions share. */
export const big = { account: 0, mailbox: 'big', messages: 100_000 } as const

/** Fills the big mailbox unless this server has it already. */
export async function fillBig(bench: Bench): Promise<void> {
  await fill(bench.server, big.account, big.mailbox, bench.count(big.messages), smallMessage)
}

/** Makes the mailbox and APPENDs `count` messages in groups, unless it holds that many already; from several connections it is quicker. */
export async function fill(
  server: Server,
  account: number,
  mailbox: string,
  count: number,
  make: (number: number) => Buffer,
  connections = 1,
): Promise<void> {
  const client = await login(server, account)
  if (mailbox !== 'INBOX') await client.ask(`CREATE ${mailbox}`)
  const status = await client.run(`STATUS ${mailbox} (MESSAGES)`)
  const held = Number(/MESSAGES (\d+)/.exec(status.bytes.toString('latin1'))?.[1])
  await client.logout()
  let next = held
  await together(held < count ? connections : 0, async () => {
    const sender = await login(server, account)
    while (next < count) {
      const group: Buffer[] = []
      let bytes = 0
      while (next < count && group.length < 100 && bytes < 4_000_000) {
        const message = make(next++)
        group.push(message)
        bytes += message.length
      }
      await sender.append(mailbox, group)
    }
    await sender.logout()
  })
}

/** Waits until the server does nothing any more in the background, two minutes at most where nothing else is said. */
export async function settle({ pids }: Pick<Server, 'pids'>, patienceMs = 120_000): Promise<void> {
  const stepMs = 500
  for (let step = 0; step < patienceMs / stepMs; step++) {
    const before = cpuMicroseconds(pids)
    await new Promise(resolve => {
      setTimeout(resolve, stepMs)
    })
    if ((cpuMicroseconds(pids) - before) / 1000 < stepMs / 20) return
  }
}

/** Restarts a server and waits until it has done what it does by itself after a start, some of it a second later. */
export async function restartToRest(server: Server): Promise<void> {
  await server.restart()
  await new Promise(resolve => {
    setTimeout(resolve, startWorkMs)
  })
  await settle(server)
}

const startWorkMs = 1200

/** Logs in to an account of server.ts. */
export function login(server: Server, account: number): Promise<ImapClient> {
  return ImapClient.login({ port: server.ports.imap }, user(account), password)
}

/** Logs in and selects. */
export async function select(server: Server, account: number, mailbox: string): Promise<ImapClient> {
  const client = await login(server, account)
  await client.drain(`SELECT ${mailbox}`)
  return client
}

/** Runs `work` once for each of `count` workers at the same time. */
export async function together<T>(count: number, work: (worker: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, worker) => work(worker)))
}
