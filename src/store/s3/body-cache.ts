// Pieces of bodies on this node's disk, so that S3 is asked once. A cache: it may be removed at any time, and nothing fails when it cannot be written.
//
// Invariants: a file is renamed into place when it is whole, and read with the checksum that it begins with, so a torn or damaged one is never served, also
// after a crash; the folder is shared by all threads of this process, without any index in memory. It is set-associative: each of its shards has an equal part of
// the room, and is brought down to three quarters of that, the longest unused first, whenever a thread has added a sixteenth to it.
import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  read as readWithCallback,
  readSync,
  type Stats,
} from 'node:fs'
import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'

const readFromFile = promisify(readWithCallback)

const shards = 64
/** Magic, content's length, its CRC-32. */
const headerBytes = 12
const magic = 0x52434143
/** Up to this size a read blocks for less than a hop to another thread costs. */
const synchronousBytes = 256 * 1024
/** The share of a shard's room that is left after it was cleared, and the one that a thread adds before it clears again. */
const keptShare = 3 / 4
const addedShare = 1 / 16
/** The order of use is known to this. */
const touchMs = 60_000
/** A file under another name this old was left by a crash. */
const leftoverMs = 3_600_000

export class BodyCache {
  readonly #path: string
  readonly #shardBytes: number
  readonly #log: Log
  /** Bytes that this thread added to each shard since it was last cleared; the first addition clears, for what an earlier run left. */
  readonly #added: number[]
  readonly #clearing = new Map<number, Promise<void>>()
  #hasFailed = false

  constructor(path: string, maxBytes: number, log: Log) {
    this.#path = path
    this.#shardBytes = Math.floor(maxBytes / shards)
    this.#added = Array.from({ length: shards }, () => Infinity)
    this.#log = log
    for (let shard = 0; shard < shards; shard++) {
      mkdirSync(this.#folder(shard), { recursive: true, mode: 0o700 })
    }
  }

  /** Undefined when it is not here, or is damaged. `name` begins with two hexadecimal digits that are spread evenly. */
  find(name: string): Awaitable<Buffer | undefined> {
    let fd: number
    try {
      fd = openSync(this.#file(name), 'r')
    } catch {
      return undefined
    }
    let stats: Stats
    try {
      stats = fstatSync(fd)
      const now = Date.now()
      if (now - stats.mtimeMs > touchMs) futimesSync(fd, now / 1000, now / 1000)
      if (stats.size <= synchronousBytes) {
        const bytes = Buffer.allocUnsafeSlow(stats.size)
        const count = readSync(fd, bytes, 0, stats.size, 0)
        closeSync(fd)
        return contentOf(bytes.subarray(0, count))
      }
    } catch {
      closeSync(fd)
      return undefined
    }
    return readLarge(fd, stats.size)
  }

  /** Keeps `bytes`, if there is room. Never rejects. */
  async keep(name: string, bytes: Uint8Array): Promise<void> {
    const sizeBytes = headerBytes + bytes.byteLength
    if (sizeBytes > this.#shardBytes / 4) return
    const shard = shardOf(name)
    const temporary = join(this.#folder(shard), `${randomUUID()}.part`)
    try {
      await writeFile(temporary, [headerOf(bytes), bytes], { mode: 0o600, flag: 'wx' })
      await rename(temporary, this.#file(name))
      this.#added[shard] = (this.#added[shard] ?? 0) + sizeBytes
      if (this.#added[shard] > this.#shardBytes * addedShare) await this.#clear(shard)
      this.#hasFailed = false
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      // A full disk would say so with each body.
      if (!this.#hasFailed) this.#log.warn({ err: error as Error }, 'the cache of bodies cannot be written')
      this.#hasFailed = true
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#clearing.values())
  }

  #clear(shard: number): Promise<void> {
    const running = this.#clearing.get(shard)
    if (running) return running
    const clearing = this.#clearNow(shard).finally(() => this.#clearing.delete(shard))
    this.#clearing.set(shard, clearing)
    return clearing
  }

  async #clearNow(shard: number): Promise<void> {
    this.#added[shard] = 0
    const folder = this.#folder(shard)
    const files: { readonly path: string; readonly sizeBytes: number; readonly usedAt: number }[] = []
    let totalBytes = 0
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const stats = await stat(path).catch(() => undefined)
      // Another thread has removed it.
      if (stats === undefined) continue
      const isLeftover = name.endsWith('.part') && Date.now() - stats.mtimeMs > leftoverMs
      totalBytes += stats.size
      files.push({ path, sizeBytes: stats.size, usedAt: isLeftover ? 0 : stats.mtimeMs })
    }
    const wanted = this.#shardBytes * keptShare
    files.sort((a, b) => a.usedAt - b.usedAt)
    for (const { path, sizeBytes, usedAt } of files) {
      if (totalBytes <= wanted && usedAt > 0) return
      await rm(path, { force: true })
      totalBytes -= sizeBytes
    }
  }

  #folder(shard: number): string {
    return join(this.#path, shard.toString(16).padStart(2, '0'))
  }

  #file(name: string): string {
    if (!/^[0-9a-f]{2,64}\.\d{1,9}$/.test(name)) throw new Error('not the name of a piece')
    return join(this.#folder(shardOf(name)), name)
  }
}

/** What the least cache must have so that each piece fits. */
export const leastCacheBytes = shards * limits.s3.pieceBytes * 5

function shardOf(name: string): number {
  return Number.parseInt(name.slice(0, 2), 16) % shards
}

function headerOf(bytes: Uint8Array): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt32BE(magic, 0)
  header.writeUInt32BE(bytes.byteLength, 4)
  header.writeUInt32BE(crc32(bytes), 8)
  return header
}

function contentOf(file: Buffer): Buffer | undefined {
  if (file.length < headerBytes || file.readUInt32BE(0) !== magic) return undefined
  const content = file.subarray(headerBytes)
  if (content.length !== file.readUInt32BE(4) || crc32(content) !== file.readUInt32BE(8)) return undefined
  return content
}

async function readLarge(fd: number, sizeBytes: number): Promise<Buffer | undefined> {
  try {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes)
    const { bytesRead } = await readFromFile(fd, bytes, 0, sizeBytes, 0)
    return contentOf(bytes.subarray(0, bytesRead))
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}
