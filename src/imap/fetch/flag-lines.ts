// FETCH responses of FLAGS, with or without UID, and nothing else: what most clients ask of a whole mailbox when they open it. RFC 9051 §7.5.2.
//
// In one loop over the bytes of many lines: numbers mostly count up, so their digits do too.
import type { SnapshotColumn } from '../../store/mailbox-snapshot.ts'
import type { Encoder } from '../encoder.ts'
import type { FetchItem } from './fetch-item.ts'
import type { FlagTexts } from './flag-texts.ts'
import { flagsItem } from './items/flags.ts'
import { uidItem } from './items/uid.ts'
import type { Targets } from './targets.ts'

/** About what is put together at once. */
const bytesAtOnce = 16 * 1024
const star = Buffer.from('* ')
const fetch = Buffer.from(' FETCH (')
const fetchUid = Buffer.from(' FETCH (UID ')
const space = Buffer.from(' ')
const end = Buffer.from(')\r\n')
/** A line without its flags. */
const lineBytes = star.length + fetchUid.length + 2 * 10 + space.length + end.length

/** Whether the items are what this file writes. */
export function areFlagLines(items: readonly FetchItem[]): boolean {
  const [first, second] = items
  if (items.length === 1) return first === flagsItem
  return items.length === 2 && first === uidItem && second === flagsItem
}

/** Writes the lines of the targets from `from` to `to`. */
export class FlagLines {
  readonly #out: Encoder
  readonly #texts: FlagTexts
  readonly #hasUid: boolean
  readonly #number = new Digits()
  readonly #uid = new Digits()
  readonly #flagTexts: Buffer[] = []

  constructor(out: Encoder, texts: FlagTexts, hasUid: boolean) {
    this.#out = out
    this.#texts = texts
    this.#hasUid = hasUid
  }

  write(targets: Targets, flags: SnapshotColumn, from: number, to: number): void {
    for (let next = from; next < to; ) next = this.#writeSome(targets, flags, next, to)
  }

  /** Gives where it has ended. */
  #writeSome(
    { numbers, uids, positions }: Targets,
    flags: SnapshotColumn,
    from: number,
    last: number,
  ): number {
    const texts = this.#flagTexts
    let bytes = 0
    let to = from
    // First, as keywords that are new to the client are told before.
    for (; to < last && bytes < bytesAtOnce; to++) {
      const text = this.#texts.of(flags.at(positions[to] as number), uids[to] as number)
      texts[to - from] = text
      bytes += lineBytes + text.length
    }
    const hasUid = this.#hasUid
    this.#out.place(bytes, (target, start) => {
      let used = start
      for (let at = from; at < to; at++) {
        used = put(target, used, star)
        used = this.#number.put(target, used, numbers[at] as number)
        if (hasUid) {
          used = put(target, used, fetchUid)
          used = this.#uid.put(target, used, uids[at] as number)
          used = put(target, used, space)
        } else used = put(target, used, fetch)
        used = put(target, used, texts[at - from] as Buffer)
        used = put(target, used, end)
      }
      return used
    })
    return to
  }
}

/** Copies in a loop: a call of `copy` takes longer than so few bytes. */
function put(target: Buffer, at: number, bytes: Buffer): number {
  const { length } = bytes
  for (let index = 0; index < length; index++) target[at + index] = bytes[index] as number
  return at + length
}

const zero = 0x30
const nine = 0x39

/** The digits of a number, which is often the one after the last. */
class Digits {
  readonly #digits = new Uint8Array(10).fill(zero)
  #first = 10
  #value = -2

  put(target: Buffer, at: number, value: number): number {
    if (value === this.#value + 1) this.#increment()
    else this.#set(value)
    this.#value = value
    const digits = this.#digits
    let used = at
    for (let index = this.#first; index < digits.length; index++) target[used++] = digits[index] as number
    return used
  }

  #increment(): void {
    const digits = this.#digits
    let index = digits.length - 1
    for (; digits[index] === nine; index--) digits[index] = zero
    digits[index] = (digits[index] as number) + 1
    if (index < this.#first) this.#first = index
  }

  #set(value: number): void {
    const digits = this.#digits.fill(zero)
    let index = digits.length
    let rest = value
    do {
      const next = Math.floor(rest / 10)
      digits[--index] = zero + rest - next * 10
      rest = next
    } while (rest > 0)
    this.#first = index
  }
}
