// A body on its way into a store on disk: in memory while it is small, then in a staging file that already looks like a segment.
import { createHash, type Hash, randomUUID } from 'node:crypto'
import { close, fdatasync, open, unlink, write } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { BlobHash } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import { StoreError } from '../error.ts'
import { findStorageError } from '../sqlite/storage-error.ts'
import type { BodyRef, StagedBody } from '../store.ts'
import { bodyOf } from './body-of.ts'
import { type DataFolder, stagingFile } from './data-folder.ts'
import { encodeRecordHeader, recordHeaderBytes } from './record.ts'

const openFile = promisify(open)
const writeFile = promisify(write)
const syncData = promisify(fdatasync)

/** Bytes gathered before a write to the file. */
const writeBytes = 256 * 1024

export class FileStagedBody implements StagedBody {
  readonly #folder: DataFolder
  /** Of a body that is too large to be hashed at its end. */
  #hash: Hash | undefined
  #chunks: Buffer[] = []
  #chunkBytes = 0
  #file: { readonly name: string; readonly fd: number } | undefined
  #name: string | undefined
  /** Bytes of the body that are in the file or on their way to it. */
  #filedBytes = 0
  /** The writes to the file, one after another; settles with the first error. */
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #failure: unknown
  #ref: BodyRef | undefined
  #finishing: Promise<BodyRef> | undefined
  #isDiscarded = false
  sizeBytes = 0

  constructor(folder: DataFolder) {
    this.#folder = folder
  }

  write(chunk: Uint8Array): void | Promise<void> {
    if (this.#finishing) throw new Error('the body is finished')
    if (this.#isDiscarded) return
    this.#chunks.push(Buffer.from(chunk))
    this.#chunkBytes += chunk.byteLength
    this.sizeBytes += chunk.byteLength
    if (this.sizeBytes <= limits.store.inlineBodyBytes) return
    if (this.#hash) this.#hash.update(chunk)
    else {
      this.#hash = createHash('sha256')
      for (const gathered of this.#chunks) this.#hash.update(gathered)
    }
    if (this.#chunkBytes < writeBytes) return
    // One write is under way while the next is gathered; a third has to wait.
    const behind = this.#isWriting ? this.#writing : undefined
    this.#startWrite()
    return behind
  }

  finish(): Promise<BodyRef> {
    this.#finishing ??= this.#finish()
    return this.#finishing
  }

  async bytes(): Promise<Buffer> {
    if (!this.#ref || this.#isDiscarded) {
      throw new StoreError('no-such-body', 'the body was not finished, or was discarded')
    }
    if (this.#ref.kind === 'inline') {
      return Buffer.from(this.#ref.bytes.buffer, this.#ref.bytes.byteOffset, this.#ref.bytes.byteLength)
    }
    let record: Buffer
    try {
      record = await readFile(stagingFile(this.#folder, this.#ref.file))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
        throw new StoreError('no-such-body', 'the body is in the store by now, or was discarded', {
          cause: error,
        })
      }
      throw findStorageError(error) ?? error
    }
    if (record.length !== recordHeaderBytes + this.sizeBytes) {
      throw new StoreError('corrupt', 'a staging file is not as long as what was written')
    }
    return record.subarray(recordHeaderBytes)
  }

  discard(): void {
    if (this.#isDiscarded) return
    this.#isDiscarded = true
    this.#chunks = []
    // The file may be a segment by now: then its name is gone.
    const end = () => {
      this.#closeFile()
      const name = this.#ref?.kind === 'staged' ? this.#ref.file : this.#name
      if (name !== undefined) unlink(stagingFile(this.#folder, name), ignore)
    }
    Promise.allSettled([this.#writing, this.#finishing]).then(end, end)
  }

  async #finish(): Promise<BodyRef> {
    if (this.sizeBytes <= limits.store.inlineBodyBytes) {
      this.#ref = bodyOf(joinExactly(this.#chunks, this.sizeBytes))
      this.#chunks = []
      return this.#ref
    }
    this.#startWrite()
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
    const file = this.#file
    const hasher = this.#hash
    if (!file || !hasher) throw new StoreError('no-such-body', 'the body was discarded')
    const { sizeBytes } = this
    const hash = hasher.digest('hex') as BlobHash
    try {
      const header = encodeRecordHeader({ hash, storedBytes: sizeBytes, sizeBytes, compressed: false })
      await writeFile(file.fd, header, 0, header.length, 0)
      // A smaller one is copied into a segment and synced there.
      if (sizeBytes > limits.store.ownSegmentBytes) await syncData(file.fd)
    } catch (error) {
      throw findStorageError(error) ?? error
    } finally {
      this.#closeFile()
    }
    this.#ref = { kind: 'staged', hash, sizeBytes, file: file.name }
    return this.#ref
  }

  #startWrite(): void {
    const chunks = this.#chunks
    const position = recordHeaderBytes + this.#filedBytes
    this.#filedBytes += this.#chunkBytes
    this.#chunks = []
    this.#chunkBytes = 0
    this.#isWriting = true
    const written = this.#writing.then(() => this.#writeChunks(chunks, position))
    this.#writing = written
    void written.then(() => {
      if (this.#writing === written) this.#isWriting = false
    })
  }

  /** Never rejects: the failure is told by `finish`. */
  async #writeChunks(chunks: readonly Buffer[], position: number): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      if (!this.#file) {
        const name = `${randomUUID()}.body`
        this.#name = name
        this.#file = { name, fd: await openFile(stagingFile(this.#folder, name), 'wx', 0o600) }
      }
      const bytes = Buffer.concat(chunks)
      let written = 0
      while (written < bytes.length) {
        const result = await writeFile(
          this.#file.fd,
          bytes,
          written,
          bytes.length - written,
          position + written,
        )
        written += result.bytesWritten
      }
    } catch (error) {
      this.#failure = findStorageError(error) ?? error
    }
  }
  #closeFile(): void {
    if (this.#file) close(this.#file.fd, ignore)
    this.#file = undefined
  }
}

/** All in an allocation of their own size, which alone goes along to another thread. */
function joinExactly(chunks: readonly Buffer[], sizeBytes: number): Uint8Array {
  const all = new Uint8Array(sizeBytes)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  return all
}

/** For what can't be helped: a file that is left behind is removed at the next start. */
function ignore(): void {}
