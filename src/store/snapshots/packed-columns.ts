// The columns of a chunk that is packed, each unpacked when somebody asks for it: who wants the flags of a large mailbox need not wait for its dates.
import type { ChunkColumns } from './message-chunk.ts'
import { type PackedColumn, packedColumns, unpackColumn } from './packed-chunk.ts'

/** A sound chunk as bytes, or its columns where they had to be found otherwise. */
export type ChunkContent = Uint8Array | ChunkColumns

export class PackedColumns implements ChunkColumns {
  readonly #count: number
  readonly #findUids: () => Uint32Array
  readonly #find: (uids: Uint32Array) => ChunkContent
  #content: ChunkContent | undefined
  /** Columns that nobody has asked for. */
  #packed: number = packedColumns.length
  #uids: Uint32Array | undefined
  #flags: Uint32Array | undefined
  #modSeqs: Float64Array | undefined
  #sizes: Float64Array | undefined
  #receivedAts: Float64Array | undefined
  #savedAts: Float64Array | undefined
  #emails: Float64Array | undefined

  /** `findUids` and `find` give all of the `count` messages, and are asked once, when somebody asks for them. */
  constructor(count: number, findUids: () => Uint32Array, find: (uids: Uint32Array) => ChunkContent) {
    this.#count = count
    this.#findUids = findUids
    this.#find = find
  }

  get uids(): Uint32Array {
    return (this.#uids ??= this.#findUids())
  }

  get flags(): Uint32Array {
    return (this.#flags ??= this.#take('flags', wordsOf))
  }

  get modSeqs(): Float64Array {
    return (this.#modSeqs ??= this.#take('modSeqs', doublesOf))
  }

  get sizes(): Float64Array {
    return (this.#sizes ??= this.#take('sizes', doublesOf))
  }

  get receivedAts(): Float64Array {
    return (this.#receivedAts ??= this.#take('receivedAts', doublesOf))
  }

  get savedAts(): Float64Array {
    return (this.#savedAts ??= this.#take('savedAts', doublesOf))
  }

  get emails(): Float64Array {
    return (this.#emails ??= this.#take('emails', doublesOf))
  }

  #take<Name extends PackedColumn>(
    name: Name,
    make: (count: number) => ChunkColumns[Name],
  ): ChunkColumns[Name] {
    const content = (this.#content ??= this.#find(this.uids))
    if (--this.#packed === 0) this.#content = undefined
    if (!(content instanceof Uint8Array)) return content[name]
    const column = make(this.#count)
    unpackColumn(content, name, column)
    return column
  }
}

function wordsOf(count: number): Uint32Array {
  return new Uint32Array(count)
}

function doublesOf(count: number): Float64Array {
  return new Float64Array(count)
}
