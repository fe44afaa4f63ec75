// A body on its way into a store that lives in memory.
import { StoreError } from '../error.ts'
import type { BodyRef, StagedBody } from '../store.ts'
import { bodyOf } from './body-of.ts'

export class MemoryStagedBody implements StagedBody {
  #chunks: Buffer[] = []
  #whole: Buffer | undefined
  #ref: BodyRef | undefined
  sizeBytes = 0

  write(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk))
    this.sizeBytes += chunk.byteLength
  }

  finish(): Promise<BodyRef> {
    this.#whole ??= Buffer.concat(this.#chunks)
    this.#chunks = []
    this.#ref ??= bodyOf(this.#whole)
    return Promise.resolve(this.#ref)
  }

  bytes(): Buffer {
    if (!this.#whole) throw new StoreError('no-such-body', 'the body was not finished, or was discarded')
    return this.#whole
  }

  discard(): void {
    this.#chunks = []
    this.#whole = undefined
  }
}
