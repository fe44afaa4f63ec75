// Threads as trees: numbers of nodes with their parents, and how they go to the client. RFC 5256 §4 (THREAD response).
//
// In typed arrays: a hundred thousand lists of children would take the collector longer than the work itself.
import { type Breathe, inStretches, stepsPerBreath } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import type { Encoder } from '../encoder.ts'

/** No node. */
export const none = -1

/**
 * Messages have the numbers from 0, in mailbox order; numbers from `messageCount` on are nodes that stand for no message, and have children.
 */
export interface Forest {
  readonly messageCount: number
  /** Nodes at the top, in order. */
  readonly roots: Uint32Array
  readonly children: Children
}

/** The children of each node, in order: its first one, and of each the next one of the same parent. */
export class Children {
  readonly #first: Int32Array
  readonly #next: Int32Array

  /** Of nodes below `count`, none of which has any. */
  constructor(count: number) {
    this.#first = new Int32Array(count).fill(none)
    this.#next = new Int32Array(count).fill(none)
  }

  get nodeCount(): number {
    return this.#first.length
  }

  firstOf(node: number): number {
    return this.#first[node] as number
  }

  nextAfter(child: number): number {
    return this.#next[child] as number
  }

  hasSeveral(node: number): boolean {
    const first = this.#first[node] as number
    return first !== none && this.#next[first] !== none
  }

  /** Makes `child`, which has no parent, the first one. */
  addFirst(node: number, child: number): void {
    this.#next[child] = this.#first[node] as number
    this.#first[node] = child
  }

  /** Makes `child`, which has no parent, one of those behind the first. */
  addBehindFirst(node: number, child: number): void {
    const first = this.#first[node] as number
    if (first === none) return this.addFirst(node, child)
    this.#next[child] = this.#next[first] as number
    this.#next[first] = child
  }

  /** Takes the first one away and gives it. */
  takeFirst(node: number): number {
    const first = this.#first[node] as number
    if (first !== none) this.#first[node] = this.#next[first] as number
    return first
  }

  /** Puts the children of each node from `from` up to `to` in the order of `compare`. */
  async sort(
    from: number,
    to: number,
    compare: (a: number, b: number) => number,
    breathe: Breathe,
  ): Promise<void> {
    let steps = 0
    for (let node = from; node < to; node++) {
      steps++
      if (this.hasSeveral(node))
        steps += this.#sortFew(node, compare) ?? (await this.#sortMany(node, compare, breathe))
      if (steps < stepsPerBreath) continue
      steps = 0
      const breath = breathe()
      if (breath !== undefined) await breath
    }
  }

  /** Gives how many they are; undefined, with nothing done, where they are too many to be sorted at once. */
  #sortFew(node: number, compare: (a: number, b: number) => number): number | undefined {
    const list: number[] = []
    for (let child = this.firstOf(node); child !== none; child = this.nextAfter(child))
      if (list.push(child) > stepsPerBreath) return undefined
    list.sort(compare)
    this.#first[node] = none
    for (let at = list.length - 1; at >= 0; at--) this.addFirst(node, list[at] as number)
    return list.length
  }

  async #sortMany(
    node: number,
    compare: (a: number, b: number) => number,
    breathe: Breathe,
  ): Promise<number> {
    const list: number[] = []
    for (let child = this.firstOf(node); child !== none; child = this.nextAfter(child)) {
      if (list.push(child) % stepsPerBreath !== 0) continue
      const breath = breathe()
      if (breath !== undefined) await breath
    }
    const sorted = Uint32Array.from(list)
    await breathingSort(sorted, compare, breathe)
    this.#first[node] = none
    await inStretches(sorted.length, breathe, (from, to) => {
      for (let at = from; at < to; at++) this.addFirst(node, sorted[sorted.length - 1 - at] as number)
    })
    return sorted.length
  }
}

/** What is still to be written, beside nodes: a closing parenthesis. */
const closing = -2

/** Threads in the order in which they are written: the messages, each `firstMessage` more than its number, and the parentheses around them. */
export type FlatForest = Uint32Array

const open = 0
const close = 1
const firstMessage = 2

/** No recursion: threads may be as deep as the mailbox is large (RFC 5256 §4: "no limit"). */
export async function flatten(
  { messageCount, roots, children }: Forest,
  breathe: Breathe,
): Promise<FlatForest> {
  // Each node stands there at most once, with parentheses around it or without.
  const flat = new Uint32Array(3 * children.nodeCount)
  let length = 0
  let steps = 0
  for (let root = 0; root < roots.length; root++) {
    const stack = [opened(roots[root] as number)]
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (++steps % stepsPerBreath === 0) {
        const breath = breathe()
        if (breath !== undefined) await breath
      }
      if (node === closing) {
        flat[length++] = close
        continue
      }
      if (node < 0) {
        node = opened(node)
        const next = children.nextAfter(node)
        if (next !== none) stack.push(opened(next))
        stack.push(closing)
        flat[length++] = open
      }
      if (node < messageCount) flat[length++] = firstMessage + node
      const first = children.firstOf(node)
      if (first === none) continue
      // One child goes on in this list, several have a list each.
      stack.push(children.hasSeveral(node) ? opened(first) : first)
    }
  }
  return flat.slice(0, length)
}

/** `(2)(3 6 (4 23)(44 7 96))`. `breathe` may let a slow client catch up. */
export async function writeForest(
  out: Pick<Encoder, 'byte' | 'number'>,
  forest: FlatForest,
  ids: ArrayLike<number>,
  breathe: Breathe,
): Promise<void> {
  let isAfterMessage = false
  await inStretches(forest.length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const one = forest[at] as number
      if (one === close) out.byte(0x29)
      else {
        // A list that has ended is followed by another list or by the end of the one around it.
        if (isAfterMessage) out.byte(0x20)
        if (one === open) out.byte(0x28)
        else out.number(ids[one - firstMessage] as number)
      }
      isAfterMessage = one >= firstMessage
    }
  })
}

/** A node that begins a list of its own, as a number below `closing`; and back. */
function opened(node: number): number {
  return closing - 1 - node
}
