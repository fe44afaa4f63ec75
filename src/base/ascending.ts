// The numbers from 0 on, in one array for all who go through a mailbox from its first message to its last: new memory for each command costs more than the
// work itself, most of it when it is collected.

export class Ascending {
  /** Given up when memory is collected and nobody uses it. */
  #kept: WeakRef<Uint32Array> | undefined

  /** Each number below `count`. Not to be written to. */
  below(count: number): Uint32Array {
    const known = this.#kept?.deref()
    if (known && known.length >= count) return known.subarray(0, count)
    const numbers = new Uint32Array(count)
    for (let number = 0; number < count; number++) numbers[number] = number
    this.#kept = new WeakRef(numbers)
    return numbers
  }
}
