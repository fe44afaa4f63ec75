// Parents by references: step 1 of REFERENCES. RFC 5256 §3.
import { no } from '../error.ts'
import { limits } from '../../base/limits.ts'
import { none } from './forest.ts'
import { LinkCutForest } from './link-cut.ts'

/** Messages by number from 0 in mailbox order, and behind them the nodes for messages that are not there. */
export class ReferenceLinks {
  readonly messageCount: number
  /** The node that has a Message-ID. */
  readonly #nodes = new Map<string, number>()
  #count: number
  #parents: Int32Array
  readonly #forest = new LinkCutForest()

  constructor(messageCount: number) {
    this.messageCount = messageCount
    this.#count = messageCount
    this.#parents = new Int32Array(messageCount).fill(none)
    this.#forest.reserve(messageCount)
  }

  /** Gives a message its Message-ID, unless one before has it or it is empty; to be called in mailbox order, before `add`. */
  name(message: number, id: string): void {
    if (id !== '' && !this.#nodes.has(id)) this.#nodes.set(id, message)
  }

  /** The parent of each node. */
  get parents(): Int32Array {
    return this.#parents.subarray(0, this.#count)
  }

  /** Steps 1.A and 1.B for one message; to be called in mailbox order. Throws NO when the references are too many. */
  add(message: number, references: readonly string[]): void {
    let last = none
    for (const id of references) {
      const node = this.#nodes.get(id) ?? this.#dummy(id)
      // Step 1.A: an existing link stays.
      if (last !== none && this.#parents[node] === none) this.#link(node, last)
      last = node
    }
    // Step 1.B: the message itself knows its parent best.
    if (this.#parents[message] !== none) {
      this.#parents[message] = none
      this.#forest.cut(message)
    }
    if (last !== none) this.#link(message, last)
  }

  /** Makes `parent` the parent of `node`, which has none, unless that would close a loop. */
  #link(node: number, parent: number): void {
    // A node without a parent is the root of its tree, so whatever descends from it has it as root.
    if (node === parent || this.#forest.rootOf(parent) === node) return
    this.#parents[node] = parent
    this.#forest.link(node, parent)
  }

  #dummy(id: string): number {
    const node = this.#count++
    if (node - this.messageCount >= limits.imap.threadDummies)
      throw no('LIMIT', 'The messages refer to too many others')
    if (node >= this.#parents.length) {
      const larger = new Int32Array(node * 2 + 1024).fill(none)
      larger.set(this.#parents)
      this.#parents = larger
      this.#forest.reserve(larger.length)
    }
    this.#nodes.set(id, node)
    return node
  }
}
