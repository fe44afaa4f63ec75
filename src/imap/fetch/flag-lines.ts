// FETCH responses of FLAGS, with or without UID, and nothing else: what most clients ask of a whole mailbox when they open it. RFC 9051 §7.5.2.
//
// In one loop over the bytes of many lines.
import { decimalBytes, putDecimal, viewOf } from '../../base/decimal.ts'
import type { SnapshotColumn } from '../../store/mailbox-snapshot.ts'
import { takeValues } from '../column-values.ts'
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
const lineBytes = star.length + fetchUid.length + 2 * decimalBytes + space.length + end.length

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
  readonly #flagTexts: Buffer[] = []
  /** Of the messages under way. */
  #flags = new Uint32Array(0)

  constructor(out: Encoder, texts: FlagTexts, hasUid: boolean) {
    this.#out = out
    this.#texts = texts
    this.#hasUid = hasUid
  }

  write(targets: Targets, flags: SnapshotColumn, from: number, to: number): void {
    if (this.#flags.length < to - from) this.#flags = new Uint32Array(to - from)
    takeValues(flags, targets.positions, from, to, this.#flags)
    for (let next = from; next < to; )
      next = this.#writeSome(targets, this.#flags.subarray(next - from), next, to)
  }

  /** `flags` are those of the targets from `from` on. Gives where it has ended. */
  #writeSome({ numbers, uids }: Targets, flags: Uint32Array, from: number, last: number): number {
    const texts = this.#flagTexts
    let bytes = 0
    let to = from
    // First, as keywords that are new to the client are told before.
    for (; to < last && bytes < bytesAtOnce; to++) {
      const text = this.#texts.of(flags[to - from] as number, uids[to] as number)
      texts[to - from] = text
      bytes += lineBytes + text.length
    }
    const hasUid = this.#hasUid
    this.#out.place(bytes, (target, start) => {
      const view = viewOf(target)
      let used = start
      for (let at = from; at < to; at++) {
        used = put(target, used, star)
        used = putDecimal(view, used, numbers[at] as number)
        if (hasUid) {
          used = put(target, used, fetchUid)
          used = putDecimal(view, used, uids[at] as number)
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
