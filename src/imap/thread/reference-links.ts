// Parents by references: step 1 of REFERENCES. RFC 5256 §3.
import { no } from '../error.ts'
import { limits } from '../../base/limits.ts'
import { ByteTable, grown } from '../../store/search/byte-table.ts'
import { none } from './forest.ts'
import { LinkCutForest } from './link-cut.ts'

const space = 0x20

/** Messages by number from 0 in mailbox order, and behind them the nodes for messages that are not there. */
export class ReferenceLinks {
  readonly messageCount: number
  readonly #ids: ByteTable
  /** The node that has a Message-ID, by the number of that. */
  #nodes: Int32Array
  #count: number
  #parents: Int32Array
  readonly #forest = new LinkCutForest()

  constructor(messageCount: number) {
    this.messageCount = messageCount
    this.#count = messageCount
    // Room for as many that are not there: to make it later takes a large mailbox long, and memory that nobody writes to costs nothing.
    this.#ids = new ByteTable(2 * messageCount)
    this.#nodes = new Int32Array(messageCount)
    this.#parents = new Int32Array(messageCount).fill(none)
    this.#forest.reserve(messageCount)
  }

  /** Gives a message its Message-ID, unless one before has it or it is empty; to be called in mailbox order, before `add`. */
  name(message: number, bytes: Uint8Array, start: number, end: number): void {
    if (start < end) this.#nodeOf(bytes, start, end, message)
  }

  /** The parent of each node. */
  get parents(): Int32Array {
    return this.#parents.subarray(0, this.#count)
  }

  /**
   * Steps 1.A and 1.B for one message, whose references have a space between each two; to be called in mailbox order. How many they are. Throws NO when
   * those of all are too many.
   */
  add(message: number, bytes: Uint8Array, start: number, end: number): number {
    let count = 0
    let last = none
    for (let from = start, at = start; from < end; from = at + 1) {
      for (at = from; at < end && bytes[at] !== space; ) at++
      const node = this.#nodeOf(bytes, from, at)
      // Step 1.A: an existing link stays.
      if (last !== none && this.#parents[node] === none) this.#link(node, last)
      last = node
      count++
    }
    // Step 1.B: the message itself knows its parent best.
    if (this.#parents[message] !== none) {
      this.#parents[message] = none
      this.#forest.cut(message)
    }
    if (last !== none) this.#link(message, last)
    return count
  }

  /** Makes `parent` the parent of `node`, which has none, unless that would close a loop. */
  #link(node: number, parent: number): void {
    // A node without a parent is the root of its tree, so whatever descends from it has it as root.
    if (node === parent || this.#forest.rootOf(parent) === node) return
    this.#parents[node] = parent
    this.#forest.link(node, parent)
  }

  /** The node that has a Message-ID; where there is none, `message` or a dummy gets it. */
  #nodeOf(bytes: Uint8Array, start: number, end: number, message?: number): number {
    const known = this.#ids.count
    const id = this.#ids.numberOf(bytes, start, end)
    if (id < known) return this.#nodes[id] as number
    const node = message ?? this.#dummy()
    if (id >= this.#nodes.length) this.#nodes = grown(this.#nodes, new Int32Array(2 * id + 1024))
    this.#nodes[id] = node
    return node
  }

  #dummy(): number {
    const node = this.#count++
    if (node - this.messageCount >= limits.imap.threadDummies)
      throw no('LIMIT', 'The messages refer to too many others')
    if (node >= this.#parents.length) {
      const larger = new Int32Array(node * 2 + 1024).fill(none)
      larger.set(this.#parents)
      this.#parents = larger
      this.#forest.reserve(larger.length)
    }
    return node
  }
}
