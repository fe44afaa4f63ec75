// Tells systemd what state the service is in. sd_notify(3).
//
// Node has no datagram sockets of the unix family, so this asks the `systemd-notify` program, which a machine that sets NOTIFY_SOCKET has.
import { execFile } from 'node:child_process'
import type { Log } from '../base/log.ts'

/** Reports `state` when the service manager asked for it (NOTIFY_SOCKET); never fails. */
export function notifyServiceManager(
  state: 'READY=1' | 'RELOADING=1' | 'STOPPING=1',
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
): Promise<void> {
  if (!env['NOTIFY_SOCKET']) return Promise.resolve()
  return new Promise(resolve => {
    execFile('systemd-notify', [`--pid=${process.pid}`, state], { env: { ...env }, timeout: 5000 }, error => {
      if (error) log.warn({ err: error, state }, 'systemd could not be told')
      resolve()
    })
  })
}
