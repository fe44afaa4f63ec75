// The multi-line answers of LIST and UIDL: one line for each message that is not deleted. RFC 1939 §5, §7.
import type { Awaitable } from '../base/awaitable.ts'
import { limits } from '../base/limits.ts'
import type { Maildrop } from './maildrop.ts'
import type { Session } from './session.ts'

/** Writes `number value` lines and the dot, many lines in one piece; waits for the client only where there are very many. */
export function writeListing(
  session: Session,
  maildrop: Maildrop,
  valueAt: (position: number) => string,
): Awaitable<void> {
  if (maildrop.total > limits.pop3.listingLines) return writeLong(session, maildrop, valueAt)
  session.connection.write(`${lines(maildrop, 0, maildrop.total, valueAt)}.\r\n`)
  return undefined
}

async function writeLong(
  { connection }: Session,
  maildrop: Maildrop,
  valueAt: (position: number) => string,
): Promise<void> {
  for (let from = 0; from < maildrop.total; from += limits.pop3.listingLines) {
    const to = Math.min(maildrop.total, from + limits.pop3.listingLines)
    connection.write(lines(maildrop, from, to, valueAt))
    await connection.drain()
    await connection.breathe()
  }
  connection.write('.\r\n')
}

function lines(maildrop: Maildrop, from: number, to: number, valueAt: (position: number) => string): string {
  const parts: string[] = []
  for (let i = from; i < to; i++) {
    if (!maildrop.isDeleted(i)) parts.push(`${i + 1} ${valueAt(i)}\r\n`)
  }
  return parts.join('')
}
