// Whether this machine has IPv6: where it is switched off, "every address" means those of IPv4.
import { existsSync } from 'node:fs'

/** Whether `host` is every address, and none of them can be one of IPv6. Linux says so in /proc; other systems always have it. */
export function isWithoutIpv6(host: string): boolean {
  return host === '::' && process.platform === 'linux' && !existsSync('/proc/net/if_inet6')
}
