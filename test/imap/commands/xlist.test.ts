import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startImap } from '../harness.ts'

test("XLIST lists with Gmail's words for special uses", async t => {
  const server = await startImap(t)
  const client = await server.client()
  await client.ok('CREATE a/b')
  assert.deepEqual(await client.ok('XLIST "" "*"'), [
    '* XLIST (\\HasNoChildren \\Inbox) "/" INBOX',
    '* XLIST (\\HasNoChildren \\Archive) "/" Archive',
    '* XLIST (\\HasNoChildren \\Drafts) "/" Drafts',
    '* XLIST (\\HasNoChildren \\Spam) "/" Junk',
    '* XLIST (\\HasNoChildren \\Sent) "/" Sent',
    '* XLIST (\\HasNoChildren \\Trash) "/" Trash',
    '* XLIST (\\HasChildren) "/" a',
    '* XLIST (\\HasNoChildren) "/" a/b',
  ])
  assert.deepEqual(await client.ok('XLIST a/ %'), ['* XLIST (\\HasNoChildren) "/" a/b'])
  assert.deepEqual(await client.ok('XLIST "" ""'), ['* XLIST (\\Noselect) "/" ""'])
})

test('XLIST with too little, too much, and before log-in is BAD', async t => {
  const server = await startImap(t)
  const client = await server.client()
  for (const wrong of ['XLIST', 'XLIST ""', 'XLIST "" % %', 'XLIST (SUBSCRIBED) "" %'])
    assert.equal((await client.command(wrong)).status, 'BAD', wrong)
  assert.equal((await (await server.connect()).command('XLIST "" %')).status, 'BAD')
})
