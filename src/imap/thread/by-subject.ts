// THREAD=ORDEREDSUBJECT: one thread for each base subject. RFC 5256 §3.
import type { Breathe } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import type { Forest } from './forest.ts'

/** `ranks`: of all messages by sent date; `subjects`: equal for equal base subjects. */
export async function threadBySubject(
  { ranks, subjects }: { readonly ranks: Uint32Array; readonly subjects: Uint32Array },
  breathe: Breathe,
): Promise<Forest> {
  const byDate = Uint32Array.from(ranks, (_rank, message) => message)
  await breathingSort(byDate, (a, b) => (ranks[a] as number) - (ranks[b] as number), breathe)
  // Taken by date, the first of each subject is the root of its thread, and the threads are in order.
  const roots: number[] = []
  const rootOf = new Map<number, number>()
  const children = new Map<number, number[]>()
  for (const message of byDate) {
    const subject = subjects[message] as number
    const root = rootOf.get(subject)
    if (root === undefined) {
      rootOf.set(subject, message)
      roots.push(message)
      continue
    }
    const siblings = children.get(root)
    if (siblings) siblings.push(message)
    else children.set(root, [message])
  }
  return { messageCount: ranks.length, roots, children }
}
