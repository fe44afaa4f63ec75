// All messages of the corpus, over the wire, against the oracle of Dovecot and Cyrus.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedFolder } from '../shared.ts'
import { checkCorpus } from './corpus-wire.ts'
import { login, startServer } from './server.ts'

test('ENVELOPE, BODYSTRUCTURE and every section of the corpus are as Dovecot and Cyrus agree', async context => {
  if (sharedFolder === undefined) return context.skip('not here')
  const server = await startServer(context)
  const client = await login(server, 0)
  const wrong = await checkCorpus(client, 'corpus', sharedFolder)
  await client.logout()
  assert.deepEqual(wrong, [])
})
