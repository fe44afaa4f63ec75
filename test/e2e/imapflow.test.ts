// imapflow does what a webmail does: folders, flags, search, copy, move, delete, and hears of new mail in IDLE.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { smallMessage } from '../../bench/messages.ts'
import { imapflow } from './fetchers.ts'
import { append, startServer } from './server.ts'

test('imapflow', async context => {
  const server = await startServer(context)
  const client = imapflow(server, 0)
  await client.connect()
  const inInbox = async (work: () => Promise<void>) => {
    const lock = await client.getMailboxLock('INBOX')
    try {
      await work()
    } finally {
      lock.release()
    }
  }

  await context.test('makes, renames, lists and deletes folders', async () => {
    assert.equal((await client.mailboxCreate(['Work', 'Größe'])).created, true)
    assert.equal((await client.mailboxCreate(['Work', 'Größe'])).created, false)
    await client.mailboxRename(['Work', 'Größe'], ['Work', '大きさ & more'])
    const paths = (await client.list()).map(({ path }) => path)
    assert.ok(paths.includes('INBOX') && paths.includes('Work/大きさ & more'), paths.join())
    await client.mailboxDelete(['Work', '大きさ & more'])
    assert.ok(!(await client.list()).some(({ path }) => path.includes('more')))
  })

  await context.test('appends with flags and a date, and fetches them back', async () => {
    const date = new Date('2021-03-04T05:06:07Z')
    const appended = await client.append('INBOX', smallMessage(1), ['\\Flagged', 'kept'], date)
    assert.ok(appended !== false && appended.uid !== undefined)
    await inInbox(async () => {
      const found = await client.fetchOne(
        String(appended.uid),
        { flags: true, internalDate: true, source: true, envelope: true, bodyStructure: true },
        { uid: true },
      )
      assert.ok(found !== false)
      assert.deepEqual(found.source, smallMessage(1))
      assert.equal(new Date(found.internalDate ?? 0).toISOString(), date.toISOString())
      assert.ok(found.flags?.has('\\Flagged') && found.flags.has('kept'))
      assert.equal(found.bodyStructure?.type, 'text/plain')
    })
  })

  await context.test('sets flags, searches, copies, moves and deletes', async () => {
    await append(server, 0, 'INBOX', [2, 3, 4, 5].map(smallMessage))
    await client.mailboxCreate('Elsewhere')
    await inInbox(async () => {
      await client.noop()
      await client.messageFlagsAdd('2:3', ['\\Seen'])
      await client.messageFlagsSet('4', ['\\Answered'])
      assert.deepEqual(await client.search({ seen: true }), [2, 3])
      assert.deepEqual(await client.search({ answered: true }), [4])
      assert.deepEqual(await client.search({ or: [{ flagged: true }, { seen: true }] }), [1, 2, 3])
      const copied = await client.messageCopy('1:2', 'Elsewhere')
      assert.ok(copied !== false && copied.uidMap?.size === 2)
      const moved = await client.messageMove('3', 'Elsewhere')
      assert.ok(moved !== false && moved.uidMap?.size === 1)
      assert.equal(await client.messageDelete('1'), true)
      assert.deepEqual(await client.search({ all: true }), [1, 2, 3])
    })
    const status = await client.status('Elsewhere', { messages: true, uidNext: true, unseen: true })
    assert.ok(status !== false)
    assert.deepEqual([status.messages, status.uidNext, status.unseen], [3, 4, 1])
  })

  await context.test('hears of a message that another session appends', async () => {
    await inInbox(async () => {
      const heard = once(client, 'exists')
      void client.idle()
      await append(server, 0, 'INBOX', [smallMessage(6)])
      const [event] = (await heard) as [{ count: number; prevCount: number }]
      assert.equal(event.count, event.prevCount + 1)
    })
  })

  await client.logout()
})
