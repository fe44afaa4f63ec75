// Threads as trees: numbers of nodes with their parents, and how they go to the client. RFC 5256 §4 (THREAD response).
import type { Breathe } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import type { Encoder } from '../encoder.ts'

/** No node. */
export const none = -1

/**
 * Messages have the numbers from 0, in mailbox order; numbers from `messageCount` on are nodes that stand for no message, and have children. `rank` puts
 * siblings in order and is told of messages; a node without one is ranked as its first child.
 */
export interface Forest {
  readonly messageCount: number
  /** Nodes at the top, in order. */
  readonly roots: ArrayLike<number>
  /** The children of each node that has some, in order. */
  readonly children: ReadonlyMap<number, ArrayLike<number>>
}

/** Children of each node, by its number. */
export function childrenOf(parents: Int32Array): Map<number, number[]> {
  const children = new Map<number, number[]>()
  for (let node = 0; node < parents.length; node++) {
    const parent = parents[node] as number
    if (parent === none) continue
    const siblings = children.get(parent)
    if (siblings) siblings.push(node)
    else children.set(parent, [node])
  }
  return children
}

/** Puts siblings in the order of `compare`. */
export async function sortSiblings(
  siblings: readonly number[],
  compare: (a: number, b: number) => number,
  breathe: Breathe,
): Promise<number[]> {
  if (siblings.length < 2) return [...siblings]
  const sorted = Uint32Array.from(siblings)
  await breathingSort(sorted, compare, breathe)
  return Array.from(sorted)
}

/** What is still to be written: a node with what comes before it, or a closing parenthesis. */
const closing = -2

/** Threads in the order in which they are written: the messages, each `firstMessage` more than its number, and the parentheses around them. */
export type FlatForest = Uint32Array

const open = 0
const close = 1
const firstMessage = 2

/** No recursion: threads may be as deep as the mailbox is large (RFC 5256 §4: "no limit"). */
export function flatten({ messageCount, roots, children }: Forest): FlatForest {
  const flat: number[] = []
  for (let root = 0; root < roots.length; root++) {
    const stack = [closing, roots[root] as number]
    flat.push(open)
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (node === closing) {
        flat.push(close)
        continue
      }
      if (node < 0) {
        node = opened(node)
        flat.push(open)
      }
      if (node < messageCount) flat.push(firstMessage + node)
      const below = children.get(node)
      if (below === undefined) continue
      // One child goes on in this list, several have a list each.
      if (below.length === 1) stack.push(below[0] as number)
      else for (let at = below.length - 1; at >= 0; at--) stack.push(closing, opened(below[at] as number))
    }
  }
  return Uint32Array.from(flat)
}

/** `(2)(3 6 (4 23)(44 7 96))`. In one go, so that no other line comes between. */
export function writeForest(
  out: Pick<Encoder, 'byte' | 'number'>,
  forest: FlatForest,
  ids: ArrayLike<number>,
): void {
  let isAfterMessage = false
  for (const one of forest) {
    if (one === close) out.byte(0x29)
    else {
      // A list that has ended is followed by another list or by the end of the one around it.
      if (isAfterMessage) out.byte(0x20)
      if (one === open) out.byte(0x28)
      else out.number(ids[one - firstMessage] as number)
    }
    isAfterMessage = one >= firstMessage
  }
}

/** A node that begins a list of its own, as a number below `closing`; and back. */
function opened(node: number): number {
  return closing - 1 - node
}
