// Texts of emails that SORT and THREAD compare, for one chunk: each distinct one once, as a TextSet takes them, without a string for any.
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { limits } from '../../base/limits.ts'
import { foldCase } from '../../message/case-map.ts'
import { textEnd, type Texts } from '../text-set.ts'
import { ByteTable, longestBytes } from './byte-table.ts'

/** The columns of `email` that are kept. */
export interface KeptTexts {
  readonly base_subject: string
  readonly message_id: string
  readonly reference_ids: string
}

export type KeptTextColumn = keyof KeptTexts

export const keptTextColumns: readonly KeptTextColumn[] = ['base_subject', 'message_id', 'reference_ids']

/** One column of a chunk. */
export interface TextsBlock {
  /** By slot: the place of its text in `texts` and one, 0 for the empty text, or `notKept`. */
  readonly numbers: Uint16Array
  readonly texts: Texts
}

/** A text is longer than the index takes. */
export const notKept = 0xffff

/** What is shorter goes as it is: zstd would take longer to begin than for all of it. */
const leastCompressedBytes = 8192
const encodings = { asIs: 0, zstd: 1 } as const
const compression = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** What most chunks unpack to fits into one piece of memory. */
const decompression = { chunkSize: 65_536 }

/** What a text under way is put into. */
const room = Buffer.alloc(longestBytes)

/** Collects one column. */
export class KeptTextsBuilder {
  readonly #texts = new ByteTable()
  readonly #numbers: Uint16Array

  constructor(size: number) {
    this.#numbers = new Uint16Array(size)
  }

  add(slot: number, text: string): void {
    if (text === '') return
    if (text.length > limits.search.valueCharacters) this.#numbers[slot] = notKept
    else this.#numbers[slot] = 1 + this.#texts.numberOf(room, 0, room.write(text))
  }

  /** Takes over those of some slots of another chunk, moved by `shift`. */
  addAll(packed: Uint8Array, slots: readonly number[], shift: number): void {
    const { numbers, texts } = unpackTexts(packed)
    const { bytes, starts } = texts
    for (const slot of slots) {
      const number = numbers[slot] as number
      const isText = number !== 0 && number !== notKept
      this.#numbers[slot + shift] = isText
        ? 1 + this.#texts.numberOf(bytes, starts[number - 1] as number, (starts[number] as number) - 1)
        : number
    }
  }

  /** `inOrder`: the texts are put in the order that SORT mostly asks for, so that it only has to merge them with those of other chunks. */
  pack(inOrder: boolean): Uint8Array {
    const { count } = this.#texts
    const order = inOrder ? orderOf(this.#texts) : Array.from({ length: count }, (_unused, at) => at)
    const placed = new Uint16Array(count + 1)
    for (let at = 0; at < count; at++) placed[(order[at] as number) + 1] = at + 1
    return encode(
      this.#numbers.map(number => (number === notKept ? notKept : (placed[number] as number))),
      this.#texts,
      order,
    )
  }
}

/** The numbers of texts in the order of i;unicode-casemap, but that of the rarest characters. */
function orderOf({ bytes, starts, count }: ByteTable): number[] {
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const order: number[] = []
  const keys: string[] = []
  for (let number = 0; number < count; number++) {
    order.push(number)
    keys.push(foldCase(texts.toString('utf8', starts[number], starts[number + 1])))
  }
  return order.sort((a, b) => {
    const key = keys[a] as string
    const other = keys[b] as string
    if (key === other) return 0
    return key < other ? -1 : 1
  })
}

// Packed: the encoding; then, so encoded, how many slots and texts there are, the number of each slot, the bytes of each text, and the texts with what stands
// behind each.
function encode(numbers: Uint16Array, texts: ByteTable, order: readonly number[]): Uint8Array {
  const { bytes, starts } = texts
  const head = new Uint16Array(2 + numbers.length + order.length)
  head.set([numbers.length, order.length])
  head.set(numbers, 2)
  // As it is it goes behind its encoding.
  const packed = Buffer.alloc(1 + head.byteLength + bytes.length + order.length)
  let to = 1 + head.byteLength
  for (let at = 0; at < order.length; at++) {
    const number = order[at] as number
    const end = starts[number + 1] as number
    head[2 + numbers.length + at] = texts.lengthOf(number)
    for (let from = starts[number] as number; from < end; from++) packed[to++] = bytes[from] as number
    packed[to++] = textEnd
  }
  packed.set(new Uint8Array(head.buffer), 1)
  packed[0] = encodings.asIs
  if (packed.length < leastCompressedBytes) return packed
  return Buffer.concat([Buffer.of(encodings.zstd), zstdCompressSync(packed.subarray(1), compression)])
}

/** Throws RangeError, or what zstd says, on what `pack` cannot have made. */
export function unpackTexts(packed: Uint8Array): TextsBlock {
  const encoded = packed.subarray(1)
  const { buffer, byteOffset, byteLength } =
    packed[0] === encodings.zstd
      ? aligned(zstdDecompressSync(encoded, decompression))
      : Uint8Array.from(encoded)
  const [slotCount = 0, textCount = 0] = new Uint16Array(buffer, byteOffset, 2)
  const numbers = new Uint16Array(buffer, byteOffset + 4, slotCount)
  const lengths = new Uint16Array(buffer, byteOffset + 4 + 2 * slotCount, textCount)
  const textsAt = 4 + 2 * (slotCount + textCount)
  const starts = new Uint32Array(textCount + 1)
  for (let at = 0; at < textCount; at++) starts[at + 1] = (starts[at] as number) + (lengths[at] as number) + 1
  return {
    numbers,
    texts: { bytes: new Uint8Array(buffer, byteOffset + textsAt, byteLength - textsAt), starts },
  }
}

/** For views of two bytes. */
function aligned(data: Uint8Array): Uint8Array {
  return data.byteOffset % 2 === 0 ? data : Uint8Array.from(data)
}

/** The text of a slot; undefined where it is not kept. */
export function textIn({ numbers, texts }: TextsBlock, slot: number): string | undefined {
  const number = numbers[slot] as number
  if (number === notKept) return undefined
  if (number === 0) return ''
  const [start, next = 0] = texts.starts.subarray(number - 1, number + 1)
  return Buffer.from(texts.bytes.subarray(start, next - 1)).toString()
}
