// Large sections go from the store to the client piece by piece.
import { limits } from '../../base/limits.ts'
import { isConnectionError } from '../../net/connection-error.ts'
import type { Encoder } from '../encoder.ts'
import type { Span } from './fetch-item.ts'
import type { FetchedMessage } from './fetched-message.ts'
import { withoutNul } from './literal-value.ts'

/** Thrown when a literal can't be finished: its length was told, so only closing the connection is honest. */
export class BrokenLiteral extends Error {
  constructor(cause: unknown) {
    super('a literal could not be finished', { cause })
    this.name = 'BrokenLiteral'
  }
}

/** Writes bytes of the stored message as one literal, never holding more than `limits.imap.pieceBytes` of them. */
export async function writeStream(message: FetchedMessage, out: Encoder, span: Span): Promise<void> {
  const { start, end } = span
  // The first piece is read before the literal's head is written: most failures come here, where NO can still be said.
  let piece = await message.readBytes(start, Math.min(end, start + limits.imap.pieceBytes))
  out.ascii(`{${end - start}}\r\n`)
  try {
    for (let at = start; ; piece = await message.readBytes(at, Math.min(end, at + limits.imap.pieceBytes))) {
      out.bytes(withoutNul(piece))
      at += piece.length
      if (at >= end) return
      if (piece.length === 0) throw new Error('a stored body is shorter than its row says')
      const drained = out.drain()
      if (drained !== undefined) await drained
    }
  } catch (error) {
    if (isConnectionError(error)) throw error
    throw new BrokenLiteral(error)
  }
}
