// Large sections go from the store to the client piece by piece.
import { limits } from '../../base/limits.ts'
import type { Encoder } from '../encoder.ts'
import type { Span } from './fetch-item.ts'
import type { FetchedMessage } from './fetched-message.ts'
import { withoutNul } from './literal-value.ts'

/** Writes bytes of the stored message as one literal, holding no more than a few times `limits.imap.pieceBytes` of them. */
export async function writeStream(
  message: FetchedMessage,
  out: Encoder,
  { start, end }: Span,
): Promise<void> {
  out.ascii(`{${end - start}}\r\n`)
  for (let at = start; at < end; ) {
    const piece = { start: at, end: Math.min(end, at + limits.imap.pieceBytes) }
    const bytes = message.peekBytes(piece) ?? (await message.readBytes(piece.start, piece.end))
    if (bytes.length !== piece.end - piece.start)
      throw new Error('a stored body is shorter than its row says')
    out.bytes(withoutNul(bytes))
    at = piece.end
    const drained = out.drain()
    if (drained !== undefined) await drained
  }
}
