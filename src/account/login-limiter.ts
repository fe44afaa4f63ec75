// Slows down and refuses who guesses passwords, over all threads of one process, and over all nodes where others are at the store.
//
// Invariants:
// - One table in shared memory, of fixed size; nothing that a peer sends makes it grow. A full bucket forgets its oldest entry.
// - An attempt is counted when it begins and taken back when it succeeds, so parallel attempts do not share one look at the count.
// - Failures, and what a success forgets, are told to the other nodes, by digests: what was typed for a name may be a password. Success after nothing else tells nothing.
// - Known and unknown names are counted alike: the limiter tells nobody which names exist.
// - Loopback is never held up. An administrator's name is never refused from a network that it has logged in from within `goodDays`.
// Races between threads, and words between nodes that are lost, can lose a count, never invent one for somebody else. `isGood` is each node's own.
import { hash, randomBytes } from 'node:crypto'
import type { Clock } from '../base/clock.ts'
import { networkKey } from '../net/ip.ts'
import type { LimiterConfig } from './config.ts'
import type { LoginPeer } from './login-peer.ts'

const bucketSlots = 8
/** Per slot: two words of the key's hash, the score (thousandths), when it was that (seconds). */
const slotWords = 4
const secretWords = 8
const wordBytes = 4
const goodDays = 30
/** Scores stay small enough for their word. */
const maxScore = 1_000_000
/** 2025-01-01: times as seconds from here fit a word for decades. */
const epochSeconds = 1_735_689_600
/** Begins the words between nodes: `login-failed:TABLE:DIGEST` adds one, `login-right:…` clears. */
const failedWord = 'login-failed'
const rightWord = 'login-right'
const digestLength = 20

/** How limiters with tables of their own, on different nodes, hear of one another. */
export interface LimiterPeers {
  tell(word: string): void
}

/** What the limiter says of an attempt; `settle` it with how it ended. */
export type Admission =
  | {
      readonly kind: 'go'
      readonly delayMs: number
      readonly settle: (outcome: 'success' | 'failure' | 'void') => void
    }
  | { readonly kind: 'refused' }

/** Makes the table that all threads share: `entries` counters of 16 bytes. Hand the buffer to each thread's `LoginLimiter`. */
export function allocateLimiterTable(entries = 65_536): SharedArrayBuffer {
  const buckets = Math.max(1, Math.ceil(entries / bucketSlots))
  const table = new SharedArrayBuffer((secretWords + buckets * bucketSlots * slotWords) * wordBytes)
  // Keys are hashed with a secret, so that nobody can choose names that share a bucket.
  new Uint8Array(table, 0, secretWords * wordBytes).set(randomBytes(secretWords * wordBytes))
  return table
}

export class LoginLimiter {
  readonly #clock: Clock
  readonly #config: LimiterConfig
  readonly #words: Int32Array
  readonly #buckets: number
  readonly #secret: string
  readonly #peers: LimiterPeers | undefined
  /** Tells the words of this table from others'. */
  readonly #tableName: string

  constructor(
    clock: Clock,
    config: LimiterConfig,
    table: SharedArrayBuffer = allocateLimiterTable(),
    peers?: LimiterPeers,
  ) {
    this.#clock = clock
    this.#config = config
    this.#words = new Int32Array(table)
    this.#buckets = (this.#words.length - secretWords) / (bucketSlots * slotWords)
    this.#secret = Buffer.from(new Uint8Array(table, 0, secretWords * wordBytes)).toString('base64')
    this.#peers = peers
    this.#tableName = digestOf(this.#secret)
  }

  /** Takes over what a limiter of another node has told. One thread of a node does so, for all. */
  hear(word: string): void {
    const [kind, table, digest] = word.split(':')
    if (table === this.#tableName || digest?.length !== digestLength) return
    if (kind === failedWord) this.#add(this.#slot(digest), 1)
    else if (kind === rightWord) this.#clear(this.#slot(digest))
  }

  /**
   * Whether an attempt may go on, and after which delay. `name` is the normalised log-in name, known or not; undefined when there is none
   * (a bad token). Count each attempt once, before anything is verified.
   */
  admit(peer: LoginPeer, name: string | undefined, isAdmin: boolean): Admission {
    if (peer.isLoopback) return { kind: 'go', delayMs: 0, settle: () => {} }
    const config = this.#config
    const network = networkKey(peer.address)
    const networkDigest = digestOf(`n ${network}`)
    const networkSlot = this.#slot(networkDigest)
    if (name === undefined) {
      const score = this.#score(networkSlot)
      if (score >= config.network.refuseAt) return { kind: 'refused' }
      this.#add(networkSlot, 1)
      return this.#go(this.#delayOf(score, config.network.free), outcome => {
        if (outcome === 'failure') this.#tell(failedWord, networkDigest)
        else this.#add(networkSlot, -1)
      })
    }
    const pairDigest = digestOf(`p ${network} ${name}`)
    const accountDigest = digestOf(`a ${name}`)
    const pairSlot = this.#slot(pairDigest)
    const accountSlot = this.#slot(accountDigest)
    const pair = this.#score(pairSlot)
    const isGood = this.#isGood(network, name)
    if (!(isGood && isAdmin)) {
      if (pair >= config.accountAndNetwork.refuseAt) return { kind: 'refused' }
      if (!isGood && this.#score(accountSlot) >= config.account.refuseAt) return { kind: 'refused' }
      if (!isGood && this.#score(networkSlot) >= config.network.refuseAt) return { kind: 'refused' }
    }
    let delayMs = this.#delayOf(pair, config.accountAndNetwork.free)
    if (!isGood) {
      delayMs = Math.max(
        delayMs,
        this.#delayOf(this.#score(accountSlot), config.account.free),
        this.#delayOf(this.#score(networkSlot), config.network.free),
      )
    }
    // One user's device with an old password must not use up what a shared proxy has, nor lock him out elsewhere.
    const countsForNetwork = pair < config.accountAndNetwork.free
    const add = (by: number) => {
      this.#add(pairSlot, by)
      if (!isGood) this.#add(accountSlot, by)
      if (countsForNetwork) this.#add(networkSlot, by)
    }
    add(1)
    return this.#go(delayMs, outcome => {
      if (outcome === 'failure') {
        this.#tell(failedWord, pairDigest)
        if (!isGood) this.#tell(failedWord, accountDigest)
        if (countsForNetwork) this.#tell(failedWord, networkDigest)
        return
      }
      add(-1)
      if (outcome === 'void') return
      this.#clear(pairSlot)
      if (pair > 0) this.#tell(rightWord, pairDigest)
      if (!isGood) this.#add(accountSlot, -1)
      // Only a little for the network: one account of his own must not buy a guesser endless tries at others.
      if (countsForNetwork) this.#add(networkSlot, -1)
      this.#markGood(network, name)
    })
  }

  #go(delayMs: number, end: (outcome: 'success' | 'failure' | 'void') => void): Admission {
    let isSettled = false
    const settle = (outcome: 'success' | 'failure' | 'void') => {
      if (isSettled) return
      isSettled = true
      end(outcome)
    }
    return { kind: 'go', delayMs, settle }
  }

  #tell(kind: string, digest: string): void {
    this.#peers?.tell(`${kind}:${this.#tableName}:${digest}`)
  }

  #delayOf(score: number, free: number): number {
    if (score < free) return 0
    return Math.min(this.#config.maxDelayMs, this.#config.firstDelayMs * 2 ** Math.min(30, score - free))
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1000) - epochSeconds
  }

  /** The offset of the key's slot, its own or a taken-over one. */
  #slot(key: string): number {
    const { bucket, low, high } = this.#hash(key)
    const own = this.#findSlot(bucket, low, high)
    if (own !== undefined) return own
    let oldest = bucket
    for (let slot = bucket; slot < bucket + bucketSlots * slotWords; slot += slotWords) {
      if (this.#load(slot + 1) === 0) {
        oldest = slot
        break
      }
      if (this.#load(slot + 3) < this.#load(oldest + 3)) oldest = slot
    }
    Atomics.store(this.#words, oldest, low)
    Atomics.store(this.#words, oldest + 1, high)
    this.#clear(oldest)
    return oldest
  }

  #findSlot(bucket: number, low: number, high: number): number | undefined {
    for (let slot = bucket; slot < bucket + bucketSlots * slotWords; slot += slotWords) {
      if (this.#load(slot) === low && this.#load(slot + 1) === high) return slot
    }
    return undefined
  }

  #hash(key: string): { bucket: number; low: number; high: number } {
    // One call in place of an HMAC: nobody sees the hash, so there is nothing to extend.
    const digest = hash('sha256', `${this.#secret} ${key}`, 'buffer')
    const bucket = secretWords + (digest.readUInt32LE(0) % this.#buckets) * bucketSlots * slotWords
    // An empty slot has 0 in its second word; no key has.
    return { bucket, low: digest.readInt32LE(4), high: digest.readInt32LE(8) | 1 }
  }

  #load(offset: number): number {
    return Atomics.load(this.#words, offset)
  }

  /** The score now: each half-life halves it. */
  #score(slot: number): number {
    const ageSeconds = Math.max(0, this.#seconds() - this.#load(slot + 3))
    return (this.#load(slot + 2) / 1000) * 0.5 ** (ageSeconds / (this.#config.halfLifeMinutes * 60))
  }

  #add(slot: number, by: number): void {
    const score = Math.min(maxScore, Math.max(0, this.#score(slot) + by))
    Atomics.store(this.#words, slot + 2, Math.round(score * 1000))
    Atomics.store(this.#words, slot + 3, this.#seconds())
  }

  #clear(slot: number): void {
    Atomics.store(this.#words, slot + 2, 0)
    Atomics.store(this.#words, slot + 3, this.#seconds())
  }

  #isGood(network: string, name: string): boolean {
    const { bucket, low, high } = this.#hash(`g ${network} ${name}`)
    const slot = this.#findSlot(bucket, low, high)
    if (slot === undefined) return false
    return this.#load(slot + 2) > 0 && this.#seconds() - this.#load(slot + 3) < goodDays * 86_400
  }

  #markGood(network: string, name: string): void {
    const slot = this.#slot(`g ${network} ${name}`)
    Atomics.store(this.#words, slot + 2, 1)
    Atomics.store(this.#words, slot + 3, this.#seconds())
  }
}

function digestOf(key: string): string {
  return hash('sha256', key, 'base64url').slice(0, digestLength)
}
