import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { openServer } from './smtp-server.ts'

test('lines of dots and lines of any length arrive as they were sent, in any pieces', async t => {
  const server = await openServer(t)
  const client = await server.client('smtp')
  await client.say('EHLO client.example')
  const line = fc.oneof(
    fc.constantFrom('', '.', '..', '...', '.x', 'x.'),
    fc.integer({ min: 0, max: 600 }).map(length => `${'.'.repeat(length % 3)}${'x'.repeat(length)}`),
  )
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 400 }),
      fc.integer({ min: 1, max: 5000 }),
      async (lines, cut) => {
        const content = ['Subject: dots', '', ...lines].join('\r\n')
        const stuffed = content.replaceAll(/^\./gm, '..')
        for (const command of ['MAIL FROM:<a@example.com>', 'RCPT TO:<ann@example.org>', 'DATA']) {
          assert.match(await client.say(command), /^[23]5/)
        }
        for (let at = 0; at < stuffed.length; at += cut) client.send(stuffed.slice(at, at + cut))
        client.send('\r\n.\r\n')
        assert.match(await client.reply(), /^250/)
        const messages = await server.messages(server.ann)
        assert.equal(messages.length, ++count)
        assert.ok(messages.at(-1)?.endsWith(`${content}\r\n`))
      },
    ),
    { numRuns: 40 },
  )
})
