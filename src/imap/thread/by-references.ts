// THREAD=REFERENCES and THREAD=REFS: trees by who answers whom. RFC 5256 §3.
//
// REFS is REFERENCES without the gathering by subjects (step 5), and its threads are in the order of their latest arrival, so that one with a new answer
// comes last (draft-ietf-morg-inthread, as other servers do it).
import type { Breathe } from '../../base/breathe.ts'
import { childrenOf, type Forest, none, sortSiblings } from './forest.ts'
import type { ReferenceLinks } from './reference-links.ts'

/** What is known of each message, by number from 0 in mailbox order. */
export interface ThreadedMessages {
  /** Of all messages by sent date, ties in mailbox order (RFC 5256 §2.2). */
  readonly ranks: Uint32Array
  /** The number of the base subject; 0 for the empty one. */
  readonly subjects: Uint32Array
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
  const pruned = prune(links)
  const builder = new Threads(links.messageCount, pruned, messages, breathe)
  await builder.sortDummies()
  await builder.gatherBySubject()
  return builder.finish((a, b) => builder.rankOf(a) - builder.rankOf(b))
}

export async function threadByRefs(
  links: ReferenceLinks,
  messages: ThreadedMessages,
  breathe: Breathe,
): Promise<Forest> {
  const pruned = prune(links)
  const latest = latestArrivals(pruned, messages.received, links.messageCount)
  const builder = new Threads(links.messageCount, pruned, messages, breathe)
  await builder.sortDummies()
  return builder.finish(
    (a, b) => (latest[a] as number) - (latest[b] as number) || builder.rankOf(a) - builder.rankOf(b),
  )
}

/** Steps 2 and 3: the parent of each message once dummies are gone, but for those at the top that hold several together. */
function prune(links: ReferenceLinks): Int32Array {
  const { messageCount } = links
  const up = Int32Array.from(links.parents)
  const below = new Int32Array(up.length)
  for (let message = 0; message < messageCount; message++) {
    const parent = liveParent(up, message, messageCount)
    up[message] = parent
    if (parent !== none) below[parent] = (below[parent] as number) + 1
  }
  // A dummy at the top with one child gives way to it; without any it goes.
  for (let message = 0; message < messageCount; message++) {
    const parent = up[message] as number
    if (parent >= messageCount && below[parent] === 1) up[message] = none
  }
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
function latestArrivals(parents: Int32Array, received: Float64Array, messageCount: number): Float64Array {
  const latest = new Float64Array(parents.length).fill(-Infinity)
  const root = Int32Array.from(parents)
  for (let message = 0; message < messageCount; message++) {
    let top = message
    while (root[top] !== none) top = root[top] as number
    for (let at = message; at !== top; ) {
      const next = root[at] as number
      root[at] = top
      at = next
    }
    latest[top] = Math.max(latest[top] as number, received[message] as number)
  }
  return latest
}

/** Threads in the making, from step 4 on. */
class Threads {
  readonly #messageCount: number
  readonly #messages: ThreadedMessages
  readonly #breathe: Breathe
  readonly #children: Map<number, number[]>
  /** In step 4's order. */
  #roots: number[]
  #nodeCount: number

  constructor(messageCount: number, parents: Int32Array, messages: ThreadedMessages, breathe: Breathe) {
    this.#messageCount = messageCount
    this.#messages = messages
    this.#breathe = breathe
    this.#children = childrenOf(parents)
    this.#nodeCount = parents.length
    this.#roots = []
    for (let node = 0; node < parents.length; node++)
      if (parents[node] === none && (node < messageCount || this.#children.has(node))) this.#roots.push(node)
  }

  /** A message's own rank; a dummy's is that of its first child, which must be in its place. */
  rankOf(node: number): number {
    return this.#messages.ranks[this.#head(node)] as number
  }

  /** The message itself, or a dummy's first child. Dummies have messages as children. */
  #head(node: number): number {
    return node < this.#messageCount ? node : (this.#children.get(node)?.[0] as number)
  }

  /** Step 4. */
  async sortDummies(): Promise<void> {
    for (const root of this.#roots) if (root >= this.#messageCount) await this.#sortChildren(root)
    this.#roots = await sortSiblings(this.#roots, (a, b) => this.rankOf(a) - this.rankOf(b), this.#breathe)
  }

  async #sortChildren(node: number): Promise<void> {
    const children = this.#children.get(node)
    if (!children || children.length < 2) return
    this.#children.set(
      node,
      await sortSiblings(children, (a, b) => this.rankOf(a) - this.rankOf(b), this.#breathe),
    )
  }

  /** Step 5. */
  async gatherBySubject(): Promise<void> {
    const table = new Map<number, number>()
    for (const root of this.#roots) {
      const subject = this.#subjectOf(root)
      if (subject === 0) continue
      const known = table.get(subject)
      // Step 5.B.iv.
      if (known === undefined || this.#isBetter(root, known)) table.set(subject, root)
    }
    const roots = new Set(this.#roots)
    for (const root of this.#roots) {
      const subject = this.#subjectOf(root)
      const known = table.get(subject)
      if (subject === 0 || known === undefined || known === root) continue
      this.#merge(root, known, subject, table, roots)
      const breath = this.#breathe()
      if (breath !== undefined) await breath
    }
    this.#roots = [...roots]
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

  /** Step 5.C: what becomes of `node` beside `known`, which has the same subject. */
  #merge(node: number, known: number, subject: number, table: Map<number, number>, roots: Set<number>): void {
    roots.delete(node)
    if (this.#isDummy(known)) {
      const added = this.#isDummy(node) ? (this.#children.get(node) ?? []) : [node]
      this.#adopt(known, added)
      if (this.#isDummy(node)) this.#children.delete(node)
      return
    }
    if (this.#isReply(node) && !this.#isReply(known)) {
      this.#adopt(known, [node])
      return
    }
    const dummy = this.#nodeCount++
    this.#children.set(dummy, [known, node])
    roots.delete(known)
    roots.add(dummy)
    table.set(subject, dummy)
  }

  #adopt(parent: number, added: readonly number[]): void {
    const children = this.#children.get(parent)
    if (!children) this.#children.set(parent, [...added])
    else for (const child of added) children.push(child)
  }

  /** Step 6. Only dummies' ranks hang on their children, and they are at the top: the order of the rest is at will. */
  async finish(compareRoots: (a: number, b: number) => number): Promise<Forest> {
    for (const node of this.#children.keys()) {
      await this.#sortChildren(node)
      const breath = this.#breathe()
      if (breath !== undefined) await breath
    }
    return {
      messageCount: this.#messageCount,
      roots: await sortSiblings(this.#roots, compareRoots, this.#breathe),
      children: this.#children,
    }
  }
}
