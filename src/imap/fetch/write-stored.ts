// Sections go from the store to the client, large ones piece by piece.
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import type { Encoder } from '../encoder.ts'
import type { Span } from './fetch-item.ts'
import type { FetchedMessage } from './fetched-message.ts'
import { replaceNul, withoutNul } from './literal-value.ts'

/** Writes bytes of the stored message as one literal, holding no more than a few times `limits.imap.pieceBytes` of them. */
export function writeStored(message: FetchedMessage, out: Encoder, { start, end }: Span): Awaitable<void> {
  out.ascii(`{${end - start}}\r\n`)
  const at = start + copyPiece(message, out, pieceAt(start, end))
  return at < end ? writeRest(message, out, at, end) : undefined
}

async function writeRest(message: FetchedMessage, out: Encoder, start: number, end: number): Promise<void> {
  for (let at = start; at < end; ) {
    const piece = pieceAt(at, end)
    const bytes = message.peekBytes(piece)
    let count = bytes ? 0 : copyPiece(message, out, piece)
    if (count === 0) {
      const read = bytes ?? (await message.readBytes(piece.start, piece.end))
      if (read.length !== piece.end - piece.start)
        throw new Error('a stored body is shorter than its row says')
      out.bytes(withoutNul(read))
      count = read.length
    }
    at += count
    const drained = out.drain()
    if (drained !== undefined) await drained
  }
}

function pieceAt(start: number, end: number): Span {
  return { start, end: Math.min(end, start + limits.imap.pieceBytes) }
}

/** Copies right into the output. How many bytes: fewer than there are where the rest has to be read. */
function copyPiece(message: FetchedMessage, out: Encoder, { start, end }: Span): number {
  return out.fill(end - start, (target, at, from, to) => {
    if (!message.copyBytes(start + from, start + to, target, at)) return false
    replaceNul(target.subarray(at, at + to - from))
    return true
  })
}
