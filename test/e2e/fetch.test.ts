// Every client fetches what was put in: the SHA-256 of each message, or of its body where the client rewrites headers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchers } from './fetchers.ts'
import { differences, sample } from './mail.ts'
import { scratch } from './program.ts'
import { append, startServer } from './server.ts'

test('every client fetches the messages as they were appended', async context => {
  const server = await startServer(context)
  const messages = sample()
  await append(server, 0, 'INBOX', messages)
  for (const { name, skip, exactness, fetch, cannot, rewrite } of fetchers) {
    await context.test(name, { skip }, async inner => {
      const found = await fetch({ server, account: 0, count: messages.length }, scratch(inner))
      const able = messages.filter(message => cannot?.(message) !== true)
      const expected = (await rewrite?.(able, scratch(inner))) ?? able
      assert.deepEqual(differences(found, expected, exactness, messages.length - able.length), [])
    })
  }
})
