// The program of a client process of mixed.ts and many-connections.ts: many mixed sessions at once, for a number of commands each.
import { serveTask } from './client-processes.ts'
import { ImapClient } from './imap-client.ts'
import { MixedSession } from './mixed-session.ts'
import { Random } from './random.ts'
import { password, user } from './server.ts'
import type { Endpoint } from './stream.ts'

export interface MixedTask {
  readonly endpoint: Endpoint
  /** The numbers of the accounts, one for each client. */
  readonly accounts: readonly number[]
  readonly seed: number
  /** Each client logs in again until it has sent so many. */
  readonly commands: number
  /** See MixedSession. */
  readonly pauseMs: number
}

export interface MixedResult {
  /** Milliseconds of each command. */
  readonly latencies: readonly number[]
}

serveTask<MixedTask, MixedResult>(async ({ endpoint, accounts, seed, commands, pauseMs }) => async () => {
  const latencies: number[] = []
  const work = async (account: number) => {
    const random = new Random(seed + account)
    let done = 0
    const onCommand = (milliseconds: number) => {
      done++
      latencies.push(milliseconds)
    }
    const open = () => ImapClient.login(endpoint, user(account), password)
    while (done < commands) await new MixedSession({ open, random, onCommand, pauseMs }).run()
  }
  await Promise.all(accounts.map(work))
  return { latencies }
})
