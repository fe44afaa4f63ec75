// The columns of a packed snapshot, each unpacked when somebody asks for it: who wants the flags of a large mailbox need not wait for its dates.
import type { SnapshotColumns } from './columns.ts'
import { messagesPerChunk, type PackedColumn, packedColumns, unpackColumn } from './packed-chunk.ts'

export class PackedColumns implements SnapshotColumns {
  readonly uids: Uint32Array
  readonly #count: number
  #chunks: readonly Uint8Array[]
  #packed: number = packedColumns.length
  #flags: Uint32Array | undefined
  #modSeqs: Float64Array | undefined
  #sizes: Float64Array | undefined
  #receivedAts: Float64Array | undefined
  #savedAts: Float64Array | undefined
  #emails: Float64Array | undefined

  /** `chunks` are those of the first `count` messages of `uids`, which may have room for more. */
  constructor(uids: Uint32Array, count: number, chunks: readonly Uint8Array[]) {
    this.uids = uids
    this.#count = count
    this.#chunks = chunks
  }

  get flags(): Uint32Array {
    return (this.#flags ??= this.#unpack('flags', new Uint32Array(this.uids.length)))
  }

  get modSeqs(): Float64Array {
    return (this.#modSeqs ??= this.#unpack('modSeqs', new Float64Array(this.uids.length)))
  }

  get sizes(): Float64Array {
    return (this.#sizes ??= this.#unpack('sizes', new Float64Array(this.uids.length)))
  }

  get receivedAts(): Float64Array {
    return (this.#receivedAts ??= this.#unpack('receivedAts', new Float64Array(this.uids.length)))
  }

  get savedAts(): Float64Array {
    return (this.#savedAts ??= this.#unpack('savedAts', new Float64Array(this.uids.length)))
  }

  get emails(): Float64Array {
    return (this.#emails ??= this.#unpack('emails', new Float64Array(this.uids.length)))
  }

  #unpack<Column extends Uint32Array | Float64Array>(name: PackedColumn, column: Column): Column {
    for (const [chunk, bytes] of this.#chunks.entries()) {
      const start = chunk * messagesPerChunk
      unpackColumn(bytes, name, column.subarray(start, Math.min(start + messagesPerChunk, this.#count)))
    }
    if (--this.#packed === 0) this.#chunks = []
    return column
  }
}
