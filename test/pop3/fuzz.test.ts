// Whatever bytes come, the server answers each line once, in one line or as its command says, and goes on. CVE-2021-40111.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { noArguments, oneNumber, optionalNumber, twoNumbers, words } from '../../src/pop3/arguments.ts'
import { Pop3Error } from '../../src/pop3/error.ts'
import { letter, startServer } from './client.ts'

test('arguments are read or refused, never anything else', () => {
  const parsers = [noArguments, oneNumber, optionalNumber, twoNumbers, words]
  fc.assert(
    fc.property(
      fc.constantFrom(...parsers),
      fc.oneof(fc.uint8Array(), fc.stringMatching(/^[0-9 x-]{0,20}$/)),
      (parse, args) => {
        try {
          const value = parse(Buffer.from(args as string))
          for (const number of [value].flat()) {
            if (typeof number === 'number') assert.ok(Number.isSafeInteger(number) && number >= 0)
          }
        } catch (error) {
          assert.ok(error instanceof Pop3Error && error.isBad)
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('random lines are each answered, in the state in which they come', async t => {
  const server = await startServer(t)
  await server.deliver(letter('one'), letter('two'))
  const keyword = fc.constantFrom(
    'STAT',
    'NOOP',
    'LIST 1',
    'UIDL 9',
    'DELE 1',
    'RSET',
    'XYZ',
    'LANG de',
    'LIST',
    'CAPA',
    'PASS x',
  )
  const line = fc.oneof(
    keyword,
    fc.uint8Array({ maxLength: 60 }).map(bytes =>
      Buffer.from(bytes)
        .toString('latin1')
        .replaceAll(/[\r\n]/g, ''),
    ),
  )
  const multiLine = /^(LIST|CAPA|UIDL|LANG|AUTH)\s*$/i
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 25 }), fc.boolean(), async (lines, isLoggedIn) => {
      const client = isLoggedIn ? await server.logIn() : await server.connect()
      try {
        for (const text of lines) {
          // A good command between keeps the count of bad ones low.
          client.send(Buffer.from(`CAPA\r\n${text}\r\n`, 'latin1'))
          assert.match(await client.line(), /^\+OK/)
          await client.lines()
          const status = await client.line()
          assert.match(status, /^(\+OK|-ERR)( |$)/, JSON.stringify(text))
          if (status.startsWith('+OK') && multiLine.test(text)) await client.lines()
        }
        assert.match(await client.command('QUIT'), /^\+OK/)
        await client.closed()
      } finally {
        client.destroy()
      }
    }),
    { numRuns: 40 },
  )
})
