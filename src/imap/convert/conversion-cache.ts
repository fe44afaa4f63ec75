// The last converted parts of one session: clients ask for the size, then for pieces. RFC 5259 §8.3, §8.5.
import { limits } from '../../base/limits.ts'
import type { Converted } from './convert-part.ts'

export class ConversionCache {
  /** The latest last. */
  readonly #known = new Map<string, Converted>()
  #bytes = 0

  find(key: string): Converted | undefined {
    return this.#known.get(key)
  }

  add(key: string, converted: Converted): void {
    if (converted.bytes.length > limits.convert.cacheBytes) return
    this.#known.set(key, converted)
    this.#bytes += converted.bytes.length
    for (const [oldest, { bytes }] of this.#known) {
      if (this.#bytes <= limits.convert.cacheBytes) return
      this.#known.delete(oldest)
      this.#bytes -= bytes.length
    }
  }
}
