import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import fc from 'fast-check'
import { Encoder } from '../../src/imap/encoder.ts'
import { Connection } from '../../src/net/connection.ts'
import { Deadlines } from '../../src/net/deadlines.ts'
import { PiecePool } from '../../src/net/piece-pool.ts'

/** What `write` writes to a client. */
async function written(write: (out: Encoder) => void): Promise<string> {
  const [near, far] = duplexPair()
  const endpoints = { remoteAddress: '', remotePort: 0, localAddress: '', localPort: 0 }
  const connection = new Connection(near as Socket, { deadlines: new Deadlines(), endpoints })
  const out = new Encoder(connection, new PiecePool())
  write(out)
  out.send()
  connection.close()
  const chunks: Buffer[] = await far.toArray()
  far.end()
  return Buffer.concat(chunks).toString('latin1')
}

const edges = [0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 4_294_967_290, 4_294_967_295]
const word = fc.oneof(fc.constantFrom(...edges), fc.nat(1_000_000), fc.nat(0xffff_ffff))

test('numbers of 32 bits are written as JavaScript writes them (property)', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 3000, size: 'max' }), async list => {
      const numbers = Uint32Array.from(list)
      const places = Uint32Array.from(list.keys())
      assert.equal(
        await written(out => out.numbers(numbers, places)),
        list.map(number => ` ${number}`).join(''),
      )
      assert.equal(
        await written(out => {
          for (const number of list) out.number(number)
        }),
        list.join(''),
      )
    }),
    { numRuns: 30 },
  )
})

test('numbers of more than 32 bits are written whole', async () => {
  assert.equal(
    await written(out =>
      out
        .number(2 ** 32)
        .byte(0x20)
        .number(Number.MAX_SAFE_INTEGER),
    ),
    '4294967296 9007199254740991',
  )
})
