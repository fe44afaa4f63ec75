// Bodies of bytes that are at hand.
import { hash } from 'node:crypto'
import type { BlobHash } from '../../base/ids.ts'
import type { BodyRef } from '../store.ts'

/** A body of `bytes`, which must not change afterwards. */
export function bodyOf(bytes: Uint8Array): BodyRef {
  return { kind: 'inline', hash: hash('sha256', bytes, 'hex') as BlobHash, bytes: exactBytes(bytes) }
}

/** The bytes in an allocation of their own size: a view of a larger one would take all of it along to another thread. */
function exactBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}
