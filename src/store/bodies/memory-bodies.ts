// Bodies of a store that lives in memory: a segment is one body.
import { StoreError } from '../error.ts'
import type { BlobHash } from '../../base/ids.ts'
import type { BodyLocation, BodyRef, CopyBody, MaintenanceReport } from '../store.ts'
import type { BodySink } from './body-sink.ts'
import type { BodySource } from './body-source.ts'

export class MemoryBodies implements BodySink, BodySource {
  readonly #bodies = new Map<number, Buffer>()
  readonly #segments = new Map<BlobHash, number>()
  #batch: { readonly hash: BlobHash; readonly segment: number }[] = []
  #nextSegment = 1

  readonly pendingBytes = 0

  locate(body: BodyRef): BodyLocation {
    if (body.kind === 'staged') throw new StoreError('no-such-body', 'a store in memory has no staging files')
    let segment = this.#segments.get(body.hash)
    if (segment === undefined) {
      segment = this.#nextSegment++
      this.#bodies.set(segment, Buffer.from(body.bytes.buffer, body.bytes.byteOffset, body.bytes.byteLength))
      this.#segments.set(body.hash, segment)
      this.#batch.push({ hash: body.hash, segment })
    }
    const sizeBytes = body.bytes.byteLength
    return { segment, offset: 0, storedBytes: sizeBytes, sizeBytes, compressed: false }
  }

  mark(): number {
    return this.#batch.length
  }

  rollBackTo(mark: number): void {
    for (const { hash, segment } of this.#batch.splice(mark)) {
      this.#bodies.delete(segment)
      this.#segments.delete(hash)
    }
  }

  flush(): void {}

  committed(): void {
    this.#batch = []
  }

  abandoned(): void {
    this.rollBackTo(0)
  }

  forgetRecent(): void {}

  /** Frees the bodies that nothing refers to. Call between transactions. */
  compact(isUsed: (segment: number) => boolean): MaintenanceReport {
    let segments = 0
    let freedBytes = 0
    for (const [hash, segment] of this.#segments) {
      if (isUsed(segment)) continue
      freedBytes += this.#bodies.get(segment)?.length ?? 0
      segments++
      this.#bodies.delete(segment)
      this.#segments.delete(hash)
    }
    return { segments, freedBytes }
  }

  read(_hash: BlobHash, location: BodyLocation, start: number, end: number): Buffer | undefined {
    const body = this.#bodies.get(location.segment)
    return body && Buffer.from(body.subarray(start, end))
  }

  open(_hash: Uint8Array, { segment }: BodyLocation): CopyBody | undefined {
    if (!this.#bodies.has(segment)) return undefined
    return (start, end, target, at) => {
      const body = this.#bodies.get(segment)
      if (!body) return false
      body.copy(target, at, start, end)
      return true
    }
  }

  close(): void {
    this.#bodies.clear()
    this.#segments.clear()
  }
}
