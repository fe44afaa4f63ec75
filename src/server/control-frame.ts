// One message on the control socket: four bytes of length, big-endian, then a structured clone.
import { deserialize, serialize } from 'node:v8'
import { limits } from '../base/limits.ts'

/** Frames a plain value. Throws a RangeError past `limits.control.frameBytes`. */
export function encodeFrame(value: unknown): Buffer {
  const body = serialize(value)
  if (body.length > limits.control.frameBytes) throw new RangeError('the control message is too large')
  const frame = Buffer.allocUnsafe(4 + body.length)
  frame.writeUInt32BE(body.length)
  body.copy(frame, 4)
  return frame
}

/** Puts frames together from chunks. */
export class FrameReader {
  #chunks: Buffer[] = []
  #byteLength = 0

  /** The values that `chunk` completes. Throws a RangeError for a frame that is too large; the stream is then of no more use. */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk)
    this.#byteLength += chunk.length
    const values: unknown[] = []
    for (;;) {
      const length = this.#peekLength()
      if (length === undefined || this.#byteLength < 4 + length) return values
      const joined = this.#join()
      values.push(deserialize(joined.subarray(4, 4 + length)))
      const rest = joined.subarray(4 + length)
      this.#chunks = rest.length > 0 ? [rest] : []
      this.#byteLength = rest.length
    }
  }

  #peekLength(): number | undefined {
    if (this.#byteLength < 4) return undefined
    if ((this.#chunks[0]?.length ?? 0) < 4) this.#chunks = [this.#join()]
    const length = this.#chunks[0]?.readUInt32BE() ?? 0
    if (length > limits.control.frameBytes) throw new RangeError('the control message is too large')
    return length
  }

  #join(): Buffer {
    const [first] = this.#chunks
    return first !== undefined && this.#chunks.length === 1
      ? first
      : Buffer.concat(this.#chunks, this.#byteLength)
  }
}
