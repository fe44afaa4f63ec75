// Fills the search index in the background: a chunk whenever the emails of one are complete, so that small accounts cost nothing and a crash leaves
// whole chunks or none. What it has not reached yet is searched without it. On the way it has mailboxes packed that have grown (`snapshots/pack-ahead.ts`).
import type { Awaitable } from '../../base/awaitable.ts'
import type { AccountId } from '../../base/ids.ts'
import { limits } from '../../base/limits.ts'
import type { Log } from '../../base/log.ts'
import type { Metrics } from '../../base/metrics.ts'
import { PackAhead, type PackAheadStore } from '../snapshots/pack-ahead.ts'
import type { ChangeHint, Store } from '../store.ts'
import { type ChunkAddress, chunkSizes, firstEmail, keyOf, pieceNames, sizeOf } from './chunk.ts'
import { ChunkBuilder } from './chunk-builder.ts'
import type { ChunkStore } from './chunk-store.ts'
import {
  addEmail,
  type EmailSource,
  headBytesOf,
  type IndexedEmail,
  readIndexedEmails,
} from './read-email.ts'

export interface IndexerParts {
  readonly store: Pick<Store, 'reader' | 'readBody' | 'openBody'> & PackAheadStore
  /** Opens the index, or a new one where it does not fit; undefined while another node fills it. */
  readonly open: () => Awaitable<ChunkStore | undefined>
  readonly log: Log
  readonly metrics: Metrics
}

/** So long it works without letting others run. */
const sliceMs = 5

export class Indexer {
  readonly #parts: IndexerParts
  /** Accounts that may have emails that are not indexed, with how many were missing when it last looked. */
  readonly #waiting = new Map<AccountId, number>()
  /** It hears of the same changes, and this thread is in nobody's way. */
  readonly #packAhead: PackAhead
  readonly #sweep: NodeJS.Timeout
  /** For the beginning of the email under way. */
  readonly #room = Buffer.alloc(limits.search.wholeBytes)
  #chunks: ChunkStore | undefined
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> | undefined
  /** Hints may have been lost: every account is to be looked at. */
  #looksAtAll = false
  #isClosing = false
  #sliceEnd = 0

  constructor(parts: IndexerParts) {
    this.#parts = parts
    this.#packAhead = new PackAhead(parts.store, parts.log)
    this.#sweep = setInterval(() => void this.run(), limits.search.sweepMs).unref()
    this.#later(0)
  }

  /** Something has changed in these accounts. */
  tell(hints: readonly ChangeHint[]): void {
    for (const { account } of hints) this.#queue(account)
    this.#later(limits.search.settleMs)
  }

  /** Hints may have been lost. */
  lookAtAll(): void {
    this.#looksAtAll = true
    this.#later(limits.search.settleMs)
  }

  /** Indexes what is missing in any account and takes out what is gone, now. */
  async run(): Promise<void> {
    this.#looksAtAll = true
    await this.#alone(() => this.#catchUp())
    await this.#alone(async () => void (await this.#packAhead.run(true)))
    await this.#alone(() => this.#sweepAll())
  }

  /** Stops after the email under way. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#timer)
    clearInterval(this.#sweep)
    this.#packAhead.close()
    await this.#work
    await this.#chunks?.close()
    this.#chunks = undefined
  }

  #later(ms: number): void {
    if (this.#timer || this.#isClosing) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#alone(() => this.#catchUp())
    }, ms).unref()
  }

  /** One at a time. A failure is told to the log, and tried again later with what is there then. */
  #alone(section: () => Promise<void>): Promise<void> {
    const before = this.#work
    const work = (async () => {
      await before
      if (this.#isClosing) return
      try {
        await section()
      } catch (error) {
        await this.#failed(error)
      }
    })()
    this.#work = work
    return work
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#isClosing) return
    this.#parts.log.warn({ err: error as Error }, 'the search index could not be filled; it is tried again')
    this.#parts.metrics.count('search_index_failures')
    const chunks = this.#chunks
    this.#chunks = undefined
    try {
      await chunks?.close(true)
    } catch {
      // It was of no use any more.
    }
    this.#later(limits.search.retryMs)
  }

  async #catchUp(): Promise<void> {
    const chunks = await this.#current()
    if (!chunks) {
      // Whoever takes over looks at every account.
      this.#waiting.clear()
      this.#packAhead.forget()
      this.#tellLag()
      this.#later(limits.search.takeOverMs)
      return
    }
    if (this.#looksAtAll) await this.#queueAll()
    for (const account of this.#inTurns()) {
      if (this.#isClosing) return
      if (!chunks.isCurrent) {
        // Somebody has removed it: begin again.
        this.#later(0)
        return
      }
      const missing = await this.#step(chunks, account)
      if (missing > 0) this.#waiting.set(account, missing)
      this.#tellLag()
    }
    if (!(await this.#packAhead.run())) this.#later(limits.store.packMs)
  }

  /** The account that has waited longest, as long as one waits. */
  *#inTurns(): Generator<AccountId> {
    for (let next = this.#waiting.keys().next(); !next.done; next = this.#waiting.keys().next()) {
      this.#waiting.delete(next.value)
      yield next.value
    }
  }

  /** The index; where it had to be opened every account is looked at. Undefined while another node fills it. */
  async #current(): Promise<ChunkStore | undefined> {
    const known = this.#chunks
    if (known?.isCurrent) return known
    this.#chunks = undefined
    await known?.close()
    const chunks = await this.#parts.open()
    this.#chunks = chunks
    if (!chunks) return undefined
    await this.#queueAll()
    if (chunks.isWithEmails) return chunks
    for (const { account } of await chunks.accounts()) await this.#verify(chunks, account)
    return chunks
  }

  async #queueAll(): Promise<void> {
    this.#looksAtAll = false
    const rows = await this.#parts.store.reader.arrays<[id: AccountId]>(
      'SELECT id FROM account WHERE id > 0 AND next_email > ? ORDER BY id',
      chunkSizes[0],
    )
    for (const [account] of rows) this.#queue(account)
  }

  #queue(account: AccountId): void {
    if (!this.#waiting.has(account)) this.#waiting.set(account, 0)
    this.#packAhead.tell(account)
  }

  /** Forgets an account's chunks when they are not of its emails: a store that was put back to an earlier state gives ids again. */
  async #verify(chunks: ChunkStore, account: AccountId): Promise<void> {
    const state = await this.#stateOf(account)
    const addresses = await chunks.addresses(account)
    let newest: ChunkAddress | undefined
    for (const address of addresses) if (!newest || firstEmail(address) > firstEmail(newest)) newest = address
    if (!newest) return
    const head = (await chunks.find(account, newest))?.head
    const isWithin = state !== undefined && firstEmail(newest) + sizeOf(newest) <= state.nextEmail
    if (isWithin && (!head?.last || (await this.#isSame(account, head.last)))) return
    await chunks.forget(account)
    this.#waiting.set(account, 0)
  }

  async #isSame(account: AccountId, [email, hash]: readonly [number, string]): Promise<boolean> {
    const sql = 'SELECT blob FROM email WHERE account = ? AND id = ?'
    const row = await this.#parts.store.reader.get<{ blob: Uint8Array }>(sql, account, email)
    return !row || Buffer.from(row.blob).toString('hex') === hash
  }

  /** What is to be known of an account; undefined when it is gone. */
  async #stateOf(
    account: AccountId,
  ): Promise<{ readonly nextEmail: number; readonly modSeq: number } | undefined> {
    return this.#parts.store.reader.get(
      `SELECT next_email AS "nextEmail", mod_seq AS "modSeq" FROM account WHERE id = ? AND state <> 'removing'`,
      account,
    )
  }

  /** Makes one chunk of an account's; how many emails are left for more of them. */
  async #step(chunks: ChunkStore, account: AccountId): Promise<number> {
    const state = await this.#stateOf(account)
    if (!state || state.nextEmail <= chunkSizes[0]) return 0
    const there = new Set((await chunks.addresses(account)).map(keyOf))
    const missing = missingChunks(state.nextEmail, there)
    const [next] = missing
    if (!next) return 0
    await this.#make(chunks, account, next, there)
    return missing.reduce((sum, address) => sum + sizeOf(address), 0) - sizeOf(next)
  }

  async #make(
    chunks: ChunkStore,
    account: AccountId,
    address: ChunkAddress,
    there: ReadonlySet<string>,
  ): Promise<void> {
    const startedAt = performance.now()
    const builder = new ChunkBuilder(address)
    const parts = partsOf(address)
    const first = firstEmail(address)
    const replaced = address.level === 0 ? [] : parts.filter(part => there.has(keyOf(part)))
    for (const part of parts) {
      const shift = firstEmail(part) - first
      if (!replaced.includes(part)) await this.#addEmails(builder, account, part, first)
      else await addChunk(chunks, account, part, builder, shift, () => false)
      if (this.#isClosing) return
    }
    await chunks.put(account, address, builder.pack(), replaced)
    const { metrics } = this.#parts
    metrics.count('search_index_chunks', { level: String(address.level) })
    metrics.observe('search_index_seconds', (performance.now() - startedAt) / 1000)
  }

  /** Adds the emails of one of the smallest chunks. */
  async #addEmails(
    builder: ChunkBuilder,
    account: AccountId,
    part: ChunkAddress,
    first: number,
  ): Promise<void> {
    const { store } = this.#parts
    const from = firstEmail(part)
    const emails = await readIndexedEmails(store.reader, account, from, from + sizeOf(part) - 1)
    for (const group of inGroups(emails)) {
      for (const [email, source] of group.map(one => [one, this.#sourceOf(account, one)] as const)) {
        await addEmail(builder, email.id - first, email, source)
        if (this.#isClosing) return
      }
    }
    this.#parts.metrics.count('search_index_emails', undefined, emails.length)
  }

  #sourceOf(account: AccountId, email: IndexedEmail): EmailSource {
    const { store } = this.#parts
    const read = async (start: number, end: number) => store.readBody(account, email.hash, start, end)
    const breathe = () => this.#breathe()
    // Where the store says where bodies lie it has them at hand, and copying is cheaper than a buffer for each.
    if (email.location)
      return { head: () => this.#copyHead(email) ?? read(0, headBytesOf(email)), read, breathe }
    const head = read(0, headBytesOf(email))
    // Whether it failed is asked when its turn comes.
    head.catch(() => {})
    return { head: () => head, read, breathe }
  }

  /** Undefined where the body is not there, is compressed, or has no room. */
  #copyHead(email: IndexedEmail): Buffer | undefined {
    const length = headBytesOf(email)
    if (!email.location || length > this.#room.length) return undefined
    const copy = this.#parts.store.openBody?.(email.blob, email.location, length)
    return copy?.(0, length, this.#room, 0) ? this.#room.subarray(0, length) : undefined
  }

  async #sweepAll(): Promise<void> {
    const chunks = await this.#current()
    if (!chunks) return
    for (const { account, sweptModSeq } of await chunks.accounts()) {
      if (this.#isClosing) return
      const state = await this.#stateOf(account)
      if (!state) await chunks.forget(account)
      else if (state.modSeq > sweptModSeq) {
        for (const address of await chunks.addresses(account))
          await this.#sweepChunk(chunks, account, address)
        if (!this.#isClosing) await chunks.swept(account, state.modSeq)
      }
    }
  }

  /** Takes out the emails that no mailbox shows any more. Until they are purged they are looked at without the index. */
  async #sweepChunk(chunks: ChunkStore, account: AccountId, address: ChunkAddress): Promise<void> {
    if (this.#isClosing) return
    const head = (await chunks.find(account, address))?.head
    if (!head || head.present.length === 0) return
    const first = firstEmail(address)
    const rows = await this.#parts.store.reader.arrays<[email: number]>(
      'SELECT DISTINCT email FROM message WHERE account = ? AND email BETWEEN ? AND ?',
      account,
      first,
      first + sizeOf(address) - 1,
    )
    const live = new Set(rows.map(([email]) => email - first))
    if (head.present.every(slot => live.has(slot))) return
    const builder = new ChunkBuilder(address)
    await addChunk(chunks, account, address, builder, 0, slot => !live.has(slot))
    await chunks.put(account, address, builder.pack(), [])
    await this.#breathe()
  }

  #breathe(): Awaitable<void> {
    const now = performance.now()
    if (now < this.#sliceEnd) return
    return new Promise(resolve => {
      setImmediate(() => {
        this.#sliceEnd = performance.now() + sliceMs
        resolve()
      })
    })
  }

  #tellLag(): void {
    let emails = 0
    for (const missing of this.#waiting.values()) emails += missing
    this.#parts.metrics.gauge('search_index_waiting_emails', emails)
  }
}

/** Emails whose beginnings are asked for at once: a database at the other end of a wire answers several as soon as one. */
function* inGroups(rows: readonly IndexedEmail[]): Generator<readonly IndexedEmail[]> {
  let group: IndexedEmail[] = []
  let bytes = 0
  for (const row of rows) {
    const headBytes = headBytesOf(row)
    if (group.length > 0 && bytes + headBytes > limits.search.aheadBytes) {
      yield group
      group = []
      bytes = 0
    }
    group.push(row)
    bytes += headBytes
  }
  if (group.length > 0) yield group
}

/** The chunks that the emails below `nextEmail` fill and that are not there, first the large ones. */
function missingChunks(nextEmail: number, there: ReadonlySet<string>): ChunkAddress[] {
  const [small, large] = chunkSizes
  const missing: ChunkAddress[] = []
  const largeCount = Math.floor(nextEmail / large)
  for (let number = 0; number < largeCount; number++) missing.push({ level: 1, number })
  for (let number = (largeCount * large) / small; number < Math.floor(nextEmail / small); number++)
    missing.push({ level: 0, number })
  return missing.filter(address => !there.has(keyOf(address)))
}

/** A chunk's emails as the smallest chunks. */
function partsOf(address: ChunkAddress): readonly ChunkAddress[] {
  const count = sizeOf(address) / chunkSizes[0]
  return Array.from({ length: count }, (_unused, at) => ({ level: 0, number: address.number * count + at }))
}

async function addChunk(
  chunks: ChunkStore,
  account: AccountId,
  address: ChunkAddress,
  builder: ChunkBuilder,
  shift: number,
  isGone: (slot: number) => boolean,
): Promise<void> {
  const found = await chunks.find(account, address)
  if (!found) throw new Error('a chunk of the search index has gone')
  const { edition, head } = found
  const pieces = new Map<string, Uint8Array>()
  for (const name of pieceNames(head)) {
    const piece = await chunks.piece(account, edition, name)
    if (!piece) throw new Error('a piece of the search index is missing')
    pieces.set(name, piece)
  }
  builder.addChunk(head, name => pieces.get(name) as Uint8Array, shift, isGone)
}
