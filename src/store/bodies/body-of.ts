// Bodies of bytes that are at hand.
import { hash } from 'node:crypto'
import type { BlobHash } from '../../base/ids.ts'
import type { BodyRef } from '../store.ts'

/** A body of `bytes`, which must not change afterwards. */
export function bodyOf(bytes: Uint8Array): BodyRef {
  return { kind: 'inline', hash: hash('sha256', bytes, 'hex') as BlobHash, bytes }
}
