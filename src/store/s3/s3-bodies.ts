// Bodies in S3: uploaded before the transaction that refers to them, read in pieces through the node's disk cache.
//
// Invariants: an object is written once, under a name of its own, and holds one body as it is; a row may begin to refer to it only within
// `limits.s3.claimMs` of its upload, and the sweep takes none younger than `limits.s3.graceMs`, which is far longer. The same body of several accounts or of
// transactions close in time shares one object.
import { hash as digest } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ByteBudget } from '../../base/byte-budget.ts'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { Lru } from '../../base/lru.ts'
import type { BodySource } from '../bodies/body-source.ts'
import { type DataFolder, stagingFile } from '../bodies/data-folder.ts'
import { recordHeaderBytes } from '../bodies/record.ts'
import { StoreError } from '../error.ts'
import type { BodyLocation, BodyRef } from '../store.ts'
import type { BodyCache } from './body-cache.ts'
import type { S3Client } from './client.ts'
import { S3Error } from './error.ts'
import { newObjectNumbers, objectName } from './object-name.ts'

export interface S3BodiesParts {
  readonly client: S3Client
  readonly cache: BodyCache
  /** Where bodies that arrive are staged. */
  readonly folder: DataFolder
}

/** A body that is in S3, and since when at least: milliseconds of `performance.now`, which no change of the clock touches. */
interface Uploaded {
  readonly location: BodyLocation
  readonly uploadedAt: number
}

export class S3Bodies implements BodySource {
  readonly #parts: S3BodiesParts
  readonly #recent = new Lru<BlobHash, Uploaded>(limits.store.recentBodies)
  /** Those that transactions are going to refer to. */
  readonly #held = new Map<BlobHash, { readonly uploaded: Uploaded; readonly holders: number }>()
  readonly #uploading = new Map<BlobHash, Promise<Uploaded>>()
  readonly #downloading = new Map<string, Promise<Buffer | undefined>>()
  readonly #uploads = new ByteBudget(limits.s3.uploadsBytes)
  readonly #downloads = new ByteBudget(limits.s3.downloadsBytes)
  readonly #keeping = new Set<Promise<void>>()

  constructor(parts: S3BodiesParts) {
    this.#parts = parts
  }

  /**
   * Brings bodies into the bucket; await it before the transaction in which `locate` is asked for them, and call what it gives when that has ended.
   * Throws `StoreError`.
   */
  async upload(bodies: readonly BodyRef[]): Promise<() => void> {
    const uploaded = await Promise.all(bodies.map(body => this.#uploadOnce(body)))
    for (const [index, { hash }] of bodies.entries()) this.#hold(hash, uploaded[index] as Uploaded)
    return () => {
      for (const { hash } of bodies) this.#letGo(hash)
    }
  }

  /** Where an uploaded body lies. Throws `StoreError` `unavailable` when it waited too long for its transaction: the sweep might not know of that. */
  locate({ hash }: BodyRef): BodyLocation {
    const uploaded = this.#held.get(hash)?.uploaded
    if (!uploaded || performance.now() - uploaded.uploadedAt > limits.s3.claimMs) {
      throw new StoreError('unavailable', 'a body waited too long for its transaction')
    }
    return uploaded.location
  }

  async read(
    hash: BlobHash,
    location: BodyLocation,
    start: number,
    end: number,
  ): Promise<Buffer | undefined> {
    if (end <= start) return Buffer.alloc(0)
    const { pieceBytes } = limits.s3
    const first = Math.floor(start / pieceBytes)
    const count = Math.floor((end - 1) / pieceBytes) - first + 1
    const pieces = await Promise.all(
      Array.from({ length: count }, (_, index) => this.#piece(hash, location, first + index)),
    )
    if (!pieces.every(piece => piece !== undefined)) return undefined
    const offset = first * pieceBytes
    if (count === 1) return pieces[0]?.subarray(start - offset, end - offset)
    const bytes = Buffer.concat(pieces).subarray(start - offset, end - offset)
    // A piece alone has no hash to be held against; the whole has.
    if (bytes.length === location.sizeBytes && digest('sha256', bytes, 'hex') !== hash) {
      throw new StoreError('corrupt', `the object of body ${hash} holds something else`)
    }
    return bytes
  }

  close(): void {
    this.#parts.client.close()
  }

  /** Waits for the disk cache to have what it was given. */
  async settled(): Promise<void> {
    await Promise.all(this.#keeping)
    await this.#parts.cache.close()
  }

  #hold(hash: BlobHash, uploaded: Uploaded): void {
    const holders = (this.#held.get(hash)?.holders ?? 0) + 1
    this.#held.set(hash, { uploaded, holders })
  }

  #letGo(hash: BlobHash): void {
    const held = this.#held.get(hash)
    if (held && held.holders > 1) this.#held.set(hash, { ...held, holders: held.holders - 1 })
    else this.#held.delete(hash)
  }

  async #uploadOnce(body: BodyRef): Promise<Uploaded> {
    const { hash } = body
    const known = this.#recent.get(hash)
    if (known && performance.now() - known.uploadedAt < limits.s3.reuseMs) return known
    let uploading = this.#uploading.get(hash)
    if (!uploading) {
      uploading = this.#upload(body).finally(() => this.#uploading.delete(hash))
      this.#uploading.set(hash, uploading)
    }
    const uploaded = await uploading
    this.#recent.set(hash, uploaded)
    return uploaded
  }

  async #upload(body: BodyRef): Promise<Uploaded> {
    const sizeBytes = body.kind === 'inline' ? body.bytes.byteLength : body.sizeBytes
    const numbers = newObjectNumbers()
    const location = { ...numbers, storedBytes: sizeBytes, sizeBytes, compressed: false }
    const uploadedAt = performance.now()
    // A file is streamed: it does not take its size in memory.
    const heldBytes = body.kind === 'inline' ? sizeBytes : limits.s3.pieceBytes
    try {
      await this.#uploads.run(heldBytes, () =>
        this.#parts.client.put(objectName(numbers), {
          sizeBytes,
          sha256: body.hash,
          open: () =>
            body.kind === 'inline'
              ? body.bytes
              : createReadStream(stagingFile(this.#parts.folder, body.file), { start: recordHeaderBytes }),
        }),
      )
    } catch (error) {
      throw asStoreError(error)
    }
    // Who is told of new mail fetches it soon.
    if (body.kind === 'inline' && sizeBytes <= limits.s3.pieceBytes)
      void this.#keep(`${body.hash}.0`, body.bytes)
    return { location, uploadedAt }
  }

  async #piece(hash: BlobHash, location: BodyLocation, index: number): Promise<Buffer | undefined> {
    const name = `${hash}.${index}`
    const kept = await this.#parts.cache.find(name)
    if (kept) return kept
    let downloading = this.#downloading.get(name)
    if (!downloading) {
      downloading = this.#download(hash, location, index)
      this.#downloading.set(name, downloading)
      // It serves until the disk has it.
      const end = () => this.#downloading.delete(name)
      downloading.then(bytes => (bytes ? this.#keep(name, bytes) : undefined)).then(end, end)
    }
    return downloading
  }

  async #download(hash: BlobHash, location: BodyLocation, index: number): Promise<Buffer | undefined> {
    const { client } = this.#parts
    const start = index * limits.s3.pieceBytes
    const end = Math.min(start + limits.s3.pieceBytes, location.sizeBytes)
    const isWhole = end - start === location.sizeBytes
    const get = () => client.get(objectName(location), start, end)
    const isRight = (bytes: Buffer | undefined) =>
      bytes === undefined || !isWhole || digest('sha256', bytes, 'hex') === hash
    try {
      const bytes = await this.#downloads.run(end - start, async () => {
        const first = await get()
        // What was damaged on the way comes right the second time.
        return isRight(first) ? first : get()
      })
      if (!isRight(bytes)) throw new StoreError('corrupt', `the object of body ${hash} holds something else`)
      return bytes
    } catch (error) {
      throw asStoreError(error)
    }
  }

  /** Never rejects. */
  async #keep(name: string, bytes: Uint8Array): Promise<void> {
    if (this.#keeping.size >= limits.s3.keptAtOnce) return
    const keeping = this.#parts.cache.keep(name, bytes)
    this.#keeping.add(keeping)
    await keeping
    this.#keeping.delete(keeping)
  }
}

/** A full bucket is a full disk; whatever else S3 refuses may be put right by who runs it, so it is temporary to senders and clients. */
function asStoreError(error: unknown): unknown {
  if (!(error instanceof S3Error)) return error
  const isFull = error.status === 507 || error.code === 'QuotaExceeded' || error.code === 'XMinioStorageFull'
  return isFull
    ? new StoreError('disk-full', 'the bucket is full', { cause: error })
    : new StoreError('unavailable', `bodies cannot be reached in S3 (${error.code})`, { cause: error })
}
