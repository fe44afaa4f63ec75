// THREAD=REFERENCES and THREAD=REFS: trees by who answers whom. RFC 5256 §3.
//
// REFS is REFERENCES without the gathering by subjects (step 5), and its threads are in the order of their latest arrival, so that one with a new answer
// comes last (draft-ietf-morg-inthread, as other servers do it).
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import { Children, type Forest, none } from './forest.ts'
import type { ReferenceLinks } from './reference-links.ts'

/** What is known of each message, by number from 0 in mailbox order. */
export interface ThreadedMessages {
  /** Of all messages by sent date, ties in mailbox order (RFC 5256 §2.2). */
  readonly ranks: Uint32Array
  /** The number of the base subject, below `subjectCount`; 0 for the empty one. */
  readonly subjects: Uint32Array
  readonly subjectCount: number
  /** 1 for an answer or a forwarded message. */
  readonly isReply: Uint8Array
  /** INTERNALDATE. */
  readonly received: Float64Array
}

export async function threadByReferences(
  links: ReferenceLinks,
  messages: ThreadedMessages,
  breathe: Breathe,
): Promise<Forest> {
  const threads = new Threads(links.messageCount, await prune(links, breathe), messages, breathe)
  await threads.plant()
  await threads.sortDummies()
  await threads.gatherBySubject()
  return threads.finish((a, b) => threads.rankOf(a) - threads.rankOf(b))
}

export async function threadByRefs(
  links: ReferenceLinks,
  messages: ThreadedMessages,
  breathe: Breathe,
): Promise<Forest> {
  const pruned = await prune(links, breathe)
  const latest = await latestArrivals(pruned, messages.received, links.messageCount, breathe)
  const threads = new Threads(links.messageCount, pruned, messages, breathe)
  await threads.plant()
  await threads.sortDummies()
  return threads.finish(
    (a, b) => (latest[a] as number) - (latest[b] as number) || threads.rankOf(a) - threads.rankOf(b),
  )
}

/** Steps 2 and 3: the parent of each message once dummies are gone, but for those at the top that hold several together. */
async function prune(links: ReferenceLinks, breathe: Breathe): Promise<Int32Array> {
  const { messageCount } = links
  const up = links.parents.slice()
  const below = new Int32Array(up.length)
  await inStretches(messageCount, breathe, (from, to) => {
    for (let message = from; message < to; message++) {
      const parent = liveParent(up, message, messageCount)
      up[message] = parent
      if (parent !== none) below[parent] = (below[parent] as number) + 1
    }
  })
  // A dummy at the top with one child gives way to it; without any it goes.
  await inStretches(messageCount, breathe, (from, to) => {
    for (let message = from; message < to; message++) {
      const parent = up[message] as number
      if (parent >= messageCount && below[parent] === 1) up[message] = none
    }
  })
  // Of dummies only those stay that are a parent now, and they are at the top.
  return up.fill(none, messageCount)
}

/** The nearest ancestor that is a message, else the topmost dummy. The way there is made short for those who come after. */
function liveParent(up: Int32Array, message: number, messageCount: number): number {
  let found = up[message] as number
  while (found >= messageCount && up[found] !== none) found = up[found] as number
  for (let at = up[message] as number; at !== found && at >= messageCount; ) {
    const next = up[at] as number
    up[at] = found
    at = next
  }
  return found
}

/** Of each node at the top, the latest INTERNALDATE in its thread. */
async function latestArrivals(
  parents: Int32Array,
  received: Float64Array,
  messageCount: number,
  breathe: Breathe,
): Promise<Float64Array> {
  const latest = new Float64Array(parents.length).fill(-Infinity)
  const root = parents.slice()
  await inStretches(messageCount, breathe, (from, to) => {
    for (let message = from; message < to; message++) {
      let top = message
      while (root[top] !== none) top = root[top] as number
      for (let at = message; at !== top; ) {
        const next = root[at] as number
        root[at] = top
        at = next
      }
      latest[top] = Math.max(latest[top] as number, received[message] as number)
    }
  })
  return latest
}

/** Threads in the making, from step 4 on. */
class Threads {
  readonly #messageCount: number
  readonly #parents: Int32Array
  readonly #messages: ThreadedMessages
  readonly #breathe: Breathe
  readonly #children: Children
  /** 1 for each node at the top. */
  readonly #isRoot: Uint8Array
  /** Nodes that were at the top, in step 4's order. */
  #roots: Uint32Array
  #nodeCount: number

  constructor(messageCount: number, parents: Int32Array, messages: ThreadedMessages, breathe: Breathe) {
    this.#messageCount = messageCount
    this.#parents = parents
    this.#messages = messages
    this.#breathe = breathe
    this.#nodeCount = parents.length
    // Step 5 may make a node of two messages.
    const most = parents.length + (messageCount >>> 1)
    this.#children = new Children(most)
    this.#isRoot = new Uint8Array(most)
    this.#roots = new Uint32Array(0)
  }

  /** The trees that the parents tell of. To be called first. */
  async plant(): Promise<void> {
    const { length } = this.#parents
    // From the last one on, since each goes before those that are there.
    await inStretches(length, this.#breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const node = length - 1 - at
        const parent = this.#parents[node] as number
        if (parent !== none) this.#children.addFirst(parent, node)
      }
    })
    await inStretches(length, this.#breathe, (from, to) => {
      for (let node = from; node < to; node++) {
        if (this.#parents[node] !== none) continue
        if (node < this.#messageCount || this.#children.firstOf(node) !== none) this.#isRoot[node] = 1
      }
    })
    this.#roots = await this.#rootsNow()
  }

  async #rootsNow(): Promise<Uint32Array> {
    const roots = new Uint32Array(this.#nodeCount)
    let count = 0
    await inStretches(this.#nodeCount, this.#breathe, (from, to) => {
      for (let node = from; node < to; node++) if (this.#isRoot[node] === 1) roots[count++] = node
    })
    return roots.slice(0, count)
  }

  /** A message's own rank; a dummy's is that of its first child, which must be in its place. */
  rankOf(node: number): number {
    return this.#messages.ranks[this.#head(node)] as number
  }

  /** The message itself, or a dummy's first child. Dummies have messages as children. */
  #head(node: number): number {
    return node < this.#messageCount ? node : this.#children.firstOf(node)
  }

  readonly #byRank = (a: number, b: number): number => this.rankOf(a) - this.rankOf(b)

  /** Step 4. */
  async sortDummies(): Promise<void> {
    await this.#children.sort(this.#messageCount, this.#nodeCount, this.#byRank, this.#breathe)
    await breathingSort(this.#roots, this.#byRank, this.#breathe)
  }

  /** Step 5. */
  async gatherBySubject(): Promise<void> {
    const roots = this.#roots
    /** The root of each subject. */
    const table = new Int32Array(this.#messages.subjectCount).fill(none)
    await inStretches(roots.length, this.#breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const root = roots[at] as number
        const subject = this.#subjectOf(root)
        if (subject === 0) continue
        const known = table[subject] as number
        // Step 5.B.iv.
        if (known === none || this.#isBetter(root, known)) table[subject] = root
      }
    })
    await inStretches(roots.length, this.#breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const root = roots[at] as number
        const subject = this.#subjectOf(root)
        if (subject !== 0 && table[subject] !== root) this.#merge(root, subject, table)
      }
    })
  }

  #isDummy(node: number): boolean {
    return node >= this.#messageCount
  }

  #isReply(node: number): boolean {
    return !this.#isDummy(node) && this.#messages.isReply[node] === 1
  }

  #subjectOf(node: number): number {
    return this.#messages.subjects[this.#head(node)] as number
  }

  #isBetter(node: number, known: number): boolean {
    if (this.#isDummy(known)) return false
    return this.#isDummy(node) || (this.#isReply(known) && !this.#isReply(node))
  }

  /** Step 5.C: what becomes of `node` beside the one that the table has for its subject. */
  #merge(node: number, subject: number, table: Int32Array): void {
    const known = table[subject] as number
    const children = this.#children
    this.#isRoot[node] = 0
    if (this.#isDummy(known) && this.#isDummy(node)) {
      for (let child = children.takeFirst(node); child !== none; child = children.takeFirst(node))
        children.addBehindFirst(known, child)
      return
    }
    if (this.#isDummy(known) || (this.#isReply(node) && !this.#isReply(known))) {
      children.addBehindFirst(known, node)
      return
    }
    const dummy = this.#nodeCount++
    children.addFirst(dummy, node)
    children.addFirst(dummy, known)
    this.#isRoot[known] = 0
    this.#isRoot[dummy] = 1
    table[subject] = dummy
  }

  /** Step 6. Only dummies' ranks hang on their children, and they are at the top: the order of the rest is at will. */
  async finish(compareRoots: (a: number, b: number) => number): Promise<Forest> {
    await this.#children.sort(0, this.#nodeCount, this.#byRank, this.#breathe)
    const roots = await this.#rootsNow()
    await breathingSort(roots, compareRoots, this.#breathe)
    return { messageCount: this.#messageCount, roots, children: this.#children }
  }
}
