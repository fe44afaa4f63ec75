// THREAD=ORDEREDSUBJECT: one thread for each base subject. RFC 5256 §3.
import { type Breathe, inStretches } from '../../base/breathe.ts'
import { breathingSort } from '../../base/breathing-sort.ts'
import { Children, type Forest, none } from './forest.ts'

/** `ranks`: of all messages by sent date; `subjects`: equal for equal base subjects, below `subjectCount`. */
export async function threadBySubject(
  {
    ranks,
    subjects,
    subjectCount,
  }: { readonly ranks: Uint32Array; readonly subjects: Uint32Array; readonly subjectCount: number },
  breathe: Breathe,
): Promise<Forest> {
  const { length } = ranks
  const byDate = new Uint32Array(length)
  await inStretches(length, breathe, (from, to) => {
    for (let message = from; message < to; message++) byDate[message] = message
  })
  await breathingSort(byDate, (a, b) => (ranks[a] as number) - (ranks[b] as number), breathe)
  // Taken by date, the first of each subject is the root of its thread, and the threads are in order.
  const roots = new Uint32Array(length)
  let rootCount = 0
  const rootOf = new Int32Array(subjectCount).fill(none)
  await inStretches(length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      const message = byDate[at] as number
      const subject = subjects[message] as number
      if (rootOf[subject] !== none) continue
      rootOf[subject] = message
      roots[rootCount++] = message
    }
  })
  const children = new Children(length)
  await inStretches(length, breathe, (from, to) => {
    for (let at = from; at < to; at++) {
      // The latest first, since each goes before those that are there.
      const message = byDate[length - 1 - at] as number
      const root = rootOf[subjects[message] as number] as number
      if (root !== message) children.addFirst(root, message)
    }
  })
  return { messageCount: length, roots: roots.slice(0, rootCount), children }
}
