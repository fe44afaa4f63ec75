// Messages of the drills: each like no other, found again by its Message-ID.
import type { Random } from '../../bench/random.ts'

/** A message with this id. Most are small, some are larger than what a store keeps in memory while they arrive. */
export function drillMessage(id: string, random: Random): Buffer {
  const size = random.chance(0.03) ? 150_000 : random.below(6000)
  const head = Buffer.from(`Message-ID: <${id}@drill.test>\r\nSubject: ${id}\r\n\r\n`)
  const body = Buffer.alloc(size, `.${id} is what it says\r\n`)
  if (body.at(-1) === 13) body[size - 1] = 46
  return Buffer.concat([head, body, Buffer.from('\r\n')])
}

/** The id of such a message, also where trace fields were put before it. */
export function idOf(message: Buffer): string {
  return /^Message-ID: <(.*)@drill\.test>/m.exec(message.toString('latin1', 0, 4000))?.[1] ?? 'none'
}
