import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isConnectionError } from '../../src/net/connection-error.ts'
import { InputBuffer } from '../../src/net/input-buffer.ts'

/** The simplest thing that could be right: one Buffer. */
class Model {
  bytes = Buffer.alloc(0)

  takeLine(maxBytes: number): Buffer | undefined | 'too long' {
    const end = this.bytes.indexOf(10)
    if (end === -1) return this.bytes.length > maxBytes + 1 ? 'too long' : undefined
    const length = end > 0 && this.bytes[end - 1] === 13 ? end - 1 : end
    if (length > maxBytes) return 'too long'
    const line = this.bytes.subarray(0, length)
    this.bytes = this.bytes.subarray(end + 1)
    return line
  }
}

const piece = fc.oneof(
  fc.constantFrom('\r\n', '\n', '\r', 'a', 'line\r\n', 'x'.repeat(5000), 'y'.repeat(300)),
  fc.string({ maxLength: 10 }),
)
const step = fc.oneof(
  fc.record({ do: fc.constant('push' as const), text: piece }),
  fc.record({ do: fc.constant('line' as const), maxBytes: fc.constantFrom(0, 4, 300, 100_000, 100_000) }),
  fc.record({ do: fc.constant('take' as const), count: fc.nat(6000) }),
  fc.record({ do: fc.constant('chunk' as const), count: fc.nat(6000) }),
  fc.record({ do: fc.constant('unread' as const), text: piece }),
  fc.record({ do: fc.constant('skip' as const) }),
  fc.record({ do: fc.constant('compact' as const) }),
)

test('an input buffer gives what a single Buffer would give, however the bytes arrive', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
      const input = new InputBuffer()
      const model = new Model()
      for (const each of steps) {
        if (each.do === 'push') {
          input.push(Buffer.from(each.text))
          model.bytes = Buffer.concat([model.bytes, Buffer.from(each.text)])
        } else if (each.do === 'unread') {
          input.unread(Buffer.from(each.text))
          model.bytes = Buffer.concat([Buffer.from(each.text), model.bytes])
        } else if (each.do === 'line') {
          let line: Buffer | undefined | 'too long'
          try {
            line = input.takeLine(each.maxBytes)
          } catch (error) {
            assert.ok(isConnectionError(error, 'LineTooLong'))
            line = 'too long'
          }
          assert.deepEqual(line, model.takeLine(each.maxBytes))
        } else if (each.do === 'take') {
          const count = Math.min(each.count, model.bytes.length)
          assert.deepEqual(input.take(count), model.bytes.subarray(0, count))
          model.bytes = model.bytes.subarray(count)
        } else if (each.do === 'chunk') {
          const chunk = input.takeChunk(each.count + 1) ?? Buffer.alloc(0)
          assert.equal(chunk.length > 0, model.bytes.length > 0)
          assert.deepEqual(chunk, model.bytes.subarray(0, chunk.length))
          model.bytes = model.bytes.subarray(chunk.length)
        } else if (each.do === 'skip') {
          const end = model.bytes.indexOf(10)
          assert.equal(input.skipLine(), end !== -1)
          model.bytes = end === -1 ? Buffer.alloc(0) : model.bytes.subarray(end + 1)
        } else input.compact()
        assert.equal(input.byteLength, model.bytes.length)
      }
    }),
    { numRuns: 200 },
  )
})

test('a line split anywhere is found with its ending', () => {
  const text = Buffer.from('first\r\nsecond\nthird\r\n')
  for (let at = 0; at <= text.length; at++) {
    const input = new InputBuffer()
    input.push(text.subarray(0, at))
    const lines: string[] = []
    const read = () => {
      for (let line = input.takeLine(100); line; line = input.takeLine(100)) {
        lines.push(`${line.toString()} ${input.lineEnding}`)
      }
    }
    read()
    input.push(text.subarray(at))
    read()
    assert.deepEqual(lines, ['first crlf', 'second lf', 'third crlf'])
  }
})

test('single bytes are gathered: 60,000 of them are held in a few chunks', () => {
  const input = new InputBuffer()
  for (let i = 0; i < 60_000; i++) input.push(Buffer.from('x'))
  let chunks = 0
  while (input.takeChunk(Infinity)) chunks++
  assert.ok(chunks <= 17, `${chunks} chunks`)
})

test('a small rest does not pin the big chunk that it is the end of', () => {
  const input = new InputBuffer()
  input.push(Buffer.from(`${'x'.repeat(60_000)}\r\nA2 NO`))
  input.takeLine(100_000)
  input.compact()
  const rest = input.takeChunk(Infinity)
  assert.equal(rest?.toString(), 'A2 NO')
  assert.ok(rest.buffer.byteLength <= 8192)
})
