import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OrderCache } from '../../../src/imap/sort/order-cache.ts'
import type { SearchScope } from '../../../src/imap/search/search-scope.ts'
import { fill } from '../fetch/mailbox.ts'
import { startImap } from '../harness.ts'

/** Counts how often it knows, and can be made to know nothing. */
class WatchedCache extends OrderCache {
  isAsked = true
  known = 0

  override find(scope: SearchScope, what: string): Uint32Array | undefined {
    const found = this.isAsked ? super.find(scope, what) : undefined
    if (found) this.known++
    return found
  }
}

const questions = [
  'SORT (DATE) UTF-8 ALL',
  'SORT (REVERSE DATE) UTF-8 ALL',
  'UID SORT (SUBJECT REVERSE ARRIVAL) UTF-8 ALL',
  'UID SORT (SIZE) UTF-8 UNDELETED',
  'SORT RETURN (ALL COUNT) (FROM) UTF-8 ALL',
  'UID THREAD REFERENCES UTF-8 ALL',
  'THREAD REFS UTF-8 ALL',
  'THREAD ORDEREDSUBJECT UTF-8 ALL',
]

test('SORT and THREAD that are asked again answer as at first, whatever happened in between', async t => {
  const orders = new WatchedCache()
  const server = await startImap(t, { orders })
  const mail = (from: number, to: number) =>
    fill(
      server.store,
      server.account,
      Array.from({ length: to - from }, (_unused, at) => {
        const number = from + at
        const subject = `Subject: ${'xYz'[number % 3]}`
        const date = `Date: ${1 + ((number * 7) % 28)} Mar 2021 10:00:00 +0000`
        const ids = `Message-ID: <${number}@x.test>\r\nReferences: <${Math.floor(number / 3)}@x.test>`
        const text = `From: ${'cab'[number % 3]}@x.test\r\n${subject}\r\n${date}\r\n${ids}\r\n\r\n${'.'.repeat((number * 5) % 11)}\r\n`
        return { bytes: Buffer.from(text) }
      }),
    )
  await mail(1, 20)
  const imap = await server.client()
  const other = await server.client()
  await imap.ok('SELECT INBOX')
  await other.ok('SELECT INBOX')
  const asked = async () => {
    const answers: string[] = []
    for (const question of questions)
      answers.push(...(await imap.ok(question)).map(line => line.replace(/\(TAG "[^"]*"\)/, '')))
    return answers
  }
  const steps: readonly (readonly [name: string, take: () => Promise<unknown>])[] = [
    ['nothing', () => Promise.resolve()],
    ['flags', () => other.ok('UID STORE 3,9 +FLAGS.SILENT (\\Deleted)')],
    ['new mail', () => mail(20, 25)],
    [
      'as many go as come',
      async () => {
        await other.ok('EXPUNGE')
        await mail(25, 27)
      },
    ],
    ['another comparator', () => imap.ok('COMPARATOR i;octet')],
  ]
  for (const [name, take] of steps) {
    await take()
    // What the other has done is told, so that the numbers are the same each time.
    await imap.ok('NOOP')
    const first = await asked()
    orders.isAsked = false
    const anew = await asked()
    orders.isAsked = true
    orders.known = 0
    assert.deepEqual(first, anew, name)
    assert.deepEqual(await asked(), anew, `${name}, again`)
    assert.ok(orders.known >= questions.length - 1, `${name}: ${orders.known}`)
  }
})
