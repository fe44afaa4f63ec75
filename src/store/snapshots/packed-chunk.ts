// The messages of one chunk of a packed snapshot as bytes: of each column the smallest value, then how far each lies above it, in as few bytes as all need.
//
// A column's head is the smallest value (a double), what distances are counted in and the bytes of one. A column that does not fit is kept as doubles
// (`wholeBytes`). Each begins at a multiple of eight bytes, so that it can be read where it lies. UIDs are in the header of the snapshot.
import type { SnapshotColumn } from '../mailbox-snapshot.ts'

/** In their order. */
export const packedColumns = ['flags', 'modSeqs', 'sizes', 'receivedAts', 'savedAts', 'emails'] as const

export type PackedColumn = (typeof packedColumns)[number]

const headBytes = 16
const wholeBytes = 8
const widths: ReadonlySet<number> = new Set([0, 1, 2, 4, wholeBytes])
/** Times without milliseconds are counted in seconds, so that years fit four bytes. */
const second = 1000

interface Layout {
  readonly base: number
  readonly step: number
  /** 0, 1, 2, 4 or `wholeBytes`. */
  readonly valueBytes: number
}

/** The messages from position `start` up to `end`, in an allocation of its own. */
export function packMessages(
  columns: Readonly<Record<PackedColumn, SnapshotColumn>>,
  start: number,
  end: number,
): Uint8Array {
  const packed = packedColumns.map(name => {
    // Doubles whatever the column is made of: a loop over arrays of one kind is several times as fast.
    const values = new Float64Array(end - start)
    columns[name].copy(start, end, values)
    return { values, layout: layoutOf(values, name === 'flags') }
  })
  const sizes = packed.map(({ layout }) => columnBytes(layout.valueBytes, end - start))
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const [index, { values, layout }] of packed.entries()) {
    packColumn(values, layout, bytes.buffer, at)
    at += sizes[index] as number
  }
  return bytes
}

/** Whether the bytes are a chunk of `count` messages. */
export function isPackedChunk(bytes: Uint8Array, count: number): boolean {
  let at = 0
  for (const _name of packedColumns) {
    if (at + headBytes > bytes.byteLength) return false
    const { valueBytes } = layoutAt(bytes, at)
    if (!widths.has(valueBytes)) return false
    at += columnBytes(valueBytes, count)
  }
  return at === bytes.byteLength
}

/** Puts one column of a chunk, whose bytes begin at a multiple of eight, into `column`, which is as long as the chunk has messages. */
export function unpackColumn(
  bytes: Uint8Array,
  name: PackedColumn,
  column: Uint32Array | Float64Array,
): void {
  let at = 0
  for (const other of packedColumns) {
    const { base, step, valueBytes } = layoutAt(bytes, at)
    if (other === name) {
      const distances = valuesAt(bytes.buffer, bytes.byteOffset + at + headBytes, valueBytes, column.length)
      if (!distances) column.fill(base)
      else {
        column.set(distances)
        if (column instanceof Float64Array) scale(column, base, step)
      }
      return
    }
    at += columnBytes(valueBytes, column.length)
  }
}

function layoutAt({ buffer, byteOffset }: Uint8Array, at: number): Layout {
  const head = new DataView(buffer, byteOffset + at, headBytes)
  return { base: head.getFloat64(0), step: head.getUint32(8), valueBytes: head.getUint32(12) }
}

/** Bits are counted from 0, and so are read without a loop. */
function layoutOf(values: Float64Array, areBits: boolean): Layout {
  let base = areBits ? 0 : Number.POSITIVE_INFINITY
  let highest = Number.NEGATIVE_INFINITY
  let isInSeconds = !areBits
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number
    if (value < base) base = value
    if (value > highest) highest = value
    if (isInSeconds && value % second !== 0) isInSeconds = false
  }
  const step = isInSeconds ? second : 1
  const span = (highest - base) / step
  const isWhole = Number.isSafeInteger(base) && Number.isSafeInteger(highest)
  if (isWhole && span === 0) return { base, step, valueBytes: 0 }
  if (isWhole && span < 2 ** 8) return { base, step, valueBytes: 1 }
  if (isWhole && span < 2 ** 16) return { base, step, valueBytes: 2 }
  if (isWhole && span < 2 ** 32) return { base, step, valueBytes: 4 }
  return { base: 0, step: 1, valueBytes: wholeBytes }
}

/** Bytes of a column with its head. */
function columnBytes(valueBytes: number, count: number): number {
  return headBytes + Math.ceil((valueBytes * count) / 8) * 8
}

function packColumn(
  values: Float64Array,
  { base, step, valueBytes }: Layout,
  buffer: ArrayBufferLike,
  at: number,
): void {
  const head = new DataView(buffer, at, headBytes)
  head.setFloat64(0, base)
  head.setUint32(8, step)
  head.setUint32(12, valueBytes)
  for (let index = 0; index < values.length; index++)
    values[index] = ((values[index] as number) - base) / step
  valuesAt(buffer, at + headBytes, valueBytes, values.length)?.set(values)
}

/** Undefined where all are one value. */
function valuesAt(buffer: ArrayBufferLike, at: number, valueBytes: number, count: number) {
  if (valueBytes === 1) return new Uint8Array(buffer, at, count)
  if (valueBytes === 2) return new Uint16Array(buffer, at, count)
  if (valueBytes === 4) return new Uint32Array(buffer, at, count)
  return valueBytes === wholeBytes ? new Float64Array(buffer, at, count) : undefined
}

function scale(column: Float64Array, base: number, step: number): void {
  if (base === 0 && step === 1) return
  for (let at = 0; at < column.length; at++) column[at] = base + step * (column[at] as number)
}
