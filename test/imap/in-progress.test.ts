import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imapConfig } from '../../src/imap/config.ts'
import { message, startImap } from './harness.ts'

test('a command that takes long says that it goes on, by its tag, until it is done (RFC 9585)', async t => {
  const server = await startImap(t, { config: { imap: imapConfig.parse({ progressMs: 1 }) } })
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  const gate = Promise.withResolvers<void>()
  const { store } = server
  const mutate = store.mutate.bind(store)
  Object.assign(store, {
    mutate: async (...args: Parameters<typeof mutate>) => {
      if (args[0] === 'copyMessages') await gate.promise
      return mutate(...args)
    },
  })
  client.send('long COPY 1 Archive\r\n')
  for (let count = 0; count < 3; count++)
    assert.equal(await client.line(), '* OK [INPROGRESS ("long" NIL NIL)] Still at it')
  gate.resolve()
  assert.match((await client.answer('long')).tagged, /^OK \[COPYUID/)
  // Nothing more comes once it is done.
  assert.deepEqual(await client.ok('NOOP'), [])
})

test('a command that is quick says nothing of progress', async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.append('INBOX', message('one'))
  await client.ok('SELECT INBOX')
  assert.deepEqual(await client.ok('COPY 1 Archive'), [])
})
