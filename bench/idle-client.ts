// The program of a client process of many-connections.ts: sessions in IDLE, as many as it is told, and nothing else.
import { serveTask } from './client-processes.ts'
import { ImapClient } from './imap-client.ts'
import { password, user } from './server.ts'

export interface IdleTask {
  readonly port: number
  /** The numbers of the accounts, one for each session. */
  readonly accounts: readonly number[]
  /** The first source address is 127.0.N.1. */
  readonly network: number
}

/** Sessions from one source address: few enough never to run out of ports. */
const perAddress = 1000
const atOnce = 32

serveTask<IdleTask, number>(async ({ port, accounts, network }) => {
  const clients: ImapClient[] = []
  const open = async (account: number, at: number) => {
    const localAddress = `127.0.${network}.${1 + Math.floor(at / perAddress)}`
    const client = await ImapClient.login({ port, localAddress }, user(account), password)
    await client.run('SELECT INBOX')
    await client.idle()
    clients.push(client)
  }
  const next = accounts.entries()
  const worker = async () => {
    for (const [at, account] of next) await open(account, at)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  // Told to go, it says how many are still there.
  return () => Promise.resolve(clients.filter(client => client.isOpen).length)
})
