// A chunk of the search index: what stands in a run of an account's emails. Emails never change, so what a chunk says of one stays right.
//
// Of some it says nothing ("open"): they were gone already, or hold more than the index takes. Those are always candidates.
import { randomInt } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { AccountId } from '../../base/ids.ts'
import { numbersOf, rangesOf, type UidRanges } from '../uid-ranges.ts'
import { type KeptTextColumn, keptTextColumns } from './kept-texts.ts'

/** Emails of each level's chunks. A chunk of a level is made of those of the level below. */
export const chunkSizes = [64, 1024] as const
export type ChunkLevel = 0 | 1

/** Email ids from `number` times the level's size on. */
export interface ChunkAddress {
  readonly level: ChunkLevel
  readonly number: number
}

/** A chunk as it was written once: what is put in its place later has another stamp, so that no piece of one is read with a piece of the other. */
export interface ChunkEdition extends ChunkAddress {
  readonly stamp: number
}

export function newStamp(): number {
  return randomInt(2 ** 48 - 1)
}

export function sizeOf({ level }: ChunkAddress): number {
  return chunkSizes[level]
}

export function firstEmail({ level, number }: ChunkAddress): number {
  return chunkSizes[level] * number
}

/** The chunk of a level in which an email lies. */
export function addressOf(level: ChunkLevel, email: number): ChunkAddress {
  return { level, number: Math.floor(email / chunkSizes[level]) }
}

export function keyOf({ level, number }: ChunkAddress): string {
  return `${level}/${number}`
}

/** Tells a chunk as it was written once from all others of all accounts. */
export function editionKeyOf(account: AccountId, edition: ChunkEdition): string {
  return `${account}/${keyOf(edition)}/${edition.stamp}`
}

/** What is known of a chunk without reading the rest. */
export interface ChunkHead {
  /** Slots of the emails that it knows. */
  readonly present: readonly number[]
  /** Of those, the ones about whose text it says nothing, and about whose headers. */
  readonly openBodies: readonly number[]
  readonly openHeads: readonly number[]
  /** Names of the header fields whose values it has, and of those whose it has not. Fields of other names do not occur. */
  readonly columns: readonly string[]
  readonly skipped: readonly string[]
  /** The last email with the start of its body's hash: whether this is an index of that store. */
  readonly last: readonly [email: number, hash: string] | undefined
}

/** About the bytes that it takes in memory. */
export function weightOf({ openBodies, openHeads, columns, skipped }: ChunkHead): number {
  return 1000 + 8 * (openBodies.length + openHeads.length) + 100 * (columns.length + skipped.length)
}

/** The rest of a chunk, by name: numbers and texts of emails, terms of bodies and of headers, and a piece for each header field of `columns`. */
export type PieceName = 'numbers' | KeptTextColumn | 'body' | 'body/at' | 'head' | 'head/at' | `:${string}`

export function pieceNames({ columns }: ChunkHead): readonly PieceName[] {
  return [
    'numbers',
    ...keptTextColumns,
    'body',
    'body/at',
    'head',
    'head/at',
    ...columns.map(name => `:${name}` as const),
  ]
}

export interface PackedChunk {
  readonly head: ChunkHead
  readonly pieces: readonly { readonly name: PieceName; readonly data: Uint8Array }[]
}

/** As it is kept: slots as ranges, which for most chunks is one of them all. */
interface EncodedHead extends Omit<ChunkHead, 'present'> {
  readonly present: UidRanges
}

export function encodeHead(head: ChunkHead): Uint8Array {
  const encoded: EncodedHead = { ...head, present: rangesOf(head.present) }
  return Buffer.from(JSON.stringify(encoded))
}

export function decodeHead(bytes: Uint8Array): ChunkHead {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  const encoded = JSON.parse(text) as EncodedHead
  return { ...encoded, present: slotsIn(encoded.present) }
}

const allSlots: ReadonlyMap<number, readonly number[]> = new Map(
  chunkSizes.map(size => [size, numbersOf([[0, size - 1]])]),
)

/** Whole chunks share one list. */
function slotsIn(ranges: UidRanges): readonly number[] {
  const [range, ...others] = ranges
  const all = range?.[0] === 0 && others.length === 0 ? allSlots.get(range[1] + 1) : undefined
  return all ?? numbersOf(ranges)
}

/** With every piece its checksum is kept: what a disk has damaged is as good as missing. */
export function checksumOf(bytes: Uint8Array): number {
  return crc32(bytes)
}

/** The bytes, if they have this checksum. Throws `DamagedChunk`. */
export function checked(bytes: Uint8Array, checksum: number): Uint8Array {
  if (checksumOf(bytes) !== checksum) throw new DamagedChunk()
  return bytes
}

export class DamagedChunk extends Error {
  constructor() {
    super('a checksum of the search index does not match')
    this.name = 'DamagedChunk'
  }
}
