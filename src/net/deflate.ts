// COMPRESS=DEFLATE as a layer for `Connection.wrap`. RFC 4978; RFC 1951.
//
// Bombs: what is inflated waits in the layer while nobody reads it, and the peer with it; a thousand to one costs time, not memory.
import { Duplex } from 'node:stream'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'

/** Compresses what is written to `inner` and inflates what comes from it. Each batch of output is flushed, so that the peer can read all of it. */
export function deflateLayer(inner: Duplex): Duplex {
  // A window of 8 KiB and little memory: some 50 KB for a session in place of 256. The peer may use 32 KiB, so reading must allow it.
  const deflate = createDeflateRaw({ windowBits: 13, memLevel: 5 })
  // The peer never ends his deflate stream, he closes the connection: that is no error.
  const inflate = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  const flushed = (done: (error?: Error | null) => void) => {
    deflate.flush(constants.Z_SYNC_FLUSH, () => done())
  }
  const layer = new Duplex({
    decodeStrings: true,
    allowHalfOpen: true,
    read: () => {
      inflate.resume()
    },
    write: (chunk: Buffer, _encoding, done) => {
      deflate.write(chunk)
      flushed(done)
    },
    writev: (chunks, done) => {
      for (const { chunk } of chunks) deflate.write(chunk)
      flushed(done)
    },
    final: done => {
      deflate.end()
      inner.once('finish', () => done())
    },
    destroy: (error, done) => {
      inner.destroy()
      deflate.destroy()
      inflate.destroy()
      done(error)
    },
  })
  inflate.on('data', (chunk: Buffer) => {
    if (!layer.push(chunk)) inflate.pause()
  })
  inflate.on('end', () => layer.push(null))
  inner.on('error', error => layer.destroy(error))
  inner.on('close', () => layer.destroy())
  inflate.on('error', error => layer.destroy(error))
  deflate.on('error', error => layer.destroy(error))
  inner.pipe(inflate)
  deflate.pipe(inner)
  return layer
}
