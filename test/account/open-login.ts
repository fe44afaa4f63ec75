// A `Login` over a test directory, whose time, delays and log the test sees.
import type { Log, LogFields } from '../../src/base/log.ts'
import { silentMetrics } from '../../src/base/metrics.ts'
import type { Directory } from '../../src/account/directory.ts'
import { Login } from '../../src/account/login.ts'
import { LoginLimiter } from '../../src/account/login-limiter.ts'
import type { LoginPeer } from '../../src/account/login-peer.ts'
import { manualClock, type ManualClock } from './manual-clock.ts'
import { type ConfigInput, openTestDirectory } from './open-directory.ts'

export interface TestLogin {
  readonly login: Login
  readonly directory: Directory
  readonly clock: ManualClock
  /** Delays that the limiter asked for, in order. */
  readonly delays: number[]
  /** All that was logged, as text. */
  readonly logged: string[]
}

export async function openTestLogin(input: ConfigInput = {}): Promise<TestLogin> {
  const clock = manualClock()
  const directory = await openTestDirectory(input, () => clock.now())
  return loginOver(directory, clock)
}

/** Another `Login` over the same directory, as another thread has. */
export function loginOver(directory: Directory, clock: ManualClock): TestLogin {
  const delays: number[] = []
  const logged: string[] = []
  const login = new Login({
    directory,
    limiter: new LoginLimiter(clock, directory.config.login.limiter),
    clock,
    log: recordingLog(logged),
    metrics: silentMetrics,
    hostname: 'mail.example.org',
    sleep: async ms => {
      delays.push(ms)
    },
  })
  return { login, directory, clock, delays, logged }
}

export function recordingLog(lines: string[]): Log {
  const write = (fields: LogFields, message: string) => {
    const error = fields['err']
    const cause = error instanceof Error ? `${error.stack} ${JSON.stringify(error)}` : ''
    lines.push(`${message} ${JSON.stringify(fields)} ${cause}`)
  }
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log }
  return log
}

export function peerOf(changes: Partial<LoginPeer> = {}): LoginPeer {
  return { protocol: 'imap', address: '192.0.2.1', isLoopback: false, secure: true, ...changes }
}
