// A client that believes NOTIFY alone, and the truth.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { ImapClient } from './client.ts'
import { message, startImap } from './harness.ts'

type Belief = Map<string, number>

/** What an untagged line changes in the client's belief: mailboxes by name, each with its count of messages. */
function learn(belief: Belief, line: string): void {
  const status = /^\* STATUS (\S+) \(.*MESSAGES (\d+)/.exec(line)
  if (status) belief.set(status[1] as string, Number(status[2]))
  const list = /^\* LIST \(([^)]*)\) "\/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?$/.exec(line)
  if (!list) return
  const [, attributes, name, oldName] = list as unknown as [string, string, string, string | undefined]
  if (oldName !== undefined) {
    // A copy, since the loop changes it.
    for (const [known, count] of Array.from(belief)) {
      if (known !== oldName && !known.startsWith(`${oldName}/`)) continue
      belief.delete(known)
      belief.set(name + known.slice(oldName.length), count)
    }
  } else if (attributes.includes('\\NonExistent')) belief.delete(name)
  else if (!belief.has(name)) belief.set(name, 0)
}

async function truth(client: ImapClient): Promise<Belief> {
  const belief: Belief = new Map()
  for (const line of await client.ok('LIST "" "*" RETURN (STATUS (MESSAGES))')) {
    const status = /^\* STATUS (\S+) \(MESSAGES (\d+)\)/.exec(line)
    if (status) belief.set(status[1] as string, Number(status[2]))
  }
  return belief
}

const name = fc.constantFrom('a', 'b', 'a/x', 'a/x/y', 'b/z', 'c')
const step = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), name }),
  fc.record({ kind: fc.constant('create' as const), name }),
  fc.record({ kind: fc.constant('delete' as const), name }),
  fc.record({ kind: fc.constant('empty' as const), name }),
  fc.record({ kind: fc.constant('rename' as const), name, to: name }),
  fc.record({ kind: fc.constant('look' as const) }),
)

for (const hints of ['come', 'are lost']) {
  test(`what NOTIFY tells of other mailboxes is the truth, whatever others do, when hints ${hints} (RFC 5465 §5)`, async t => {
    const server = await startImap(t)
    // Without hints many changes are told at once, by the next command.
    if (hints === 'are lost') Object.assign(server.store, { watch: () => () => {} })
    const other = await server.client()
    const hello = message('hello')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
        const client = await server.client()
        const belief = await truth(client)
        await client.ok('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
        const look = async () => {
          for (const line of await client.ok('NOOP')) learn(belief, line)
        }
        for (const one of steps) {
          if (one.kind === 'look') await look()
          else if (one.kind === 'append') await other.append(one.name, hello)
          else if (one.kind === 'create') await other.command(`CREATE ${one.name}`)
          else if (one.kind === 'delete') await other.command(`DELETE ${one.name}`)
          else if (one.kind === 'rename') await other.command(`RENAME ${one.name} ${one.to}`)
          else if ((await other.command(`SELECT ${one.name}`)).status === 'OK') {
            await other.ok('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
            await other.ok('CLOSE')
          }
        }
        await look()
        assert.deepEqual(Object.fromEntries(belief), Object.fromEntries(await truth(other)))
        client.end()
      }),
      { numRuns: 40 },
    )
  })
}

test('what came below a name that another mailbox has given up does not seem to move on with that one (RFC 5465 §5.4)', async t => {
  const server = await startImap(t)
  Object.assign(server.store, { watch: () => () => {} })
  const other = await server.client()
  for (const made of ['b/x', 'c']) await other.ok(`CREATE ${made}`)
  const client = await server.client()
  const belief = await truth(client)
  await client.ok('NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))')
  for (const command of ['RENAME c d', 'RENAME b c', 'DELETE c']) await other.ok(command)
  for (const line of await client.ok('NOOP')) learn(belief, line)
  assert.deepEqual(Object.fromEntries(belief), Object.fromEntries(await truth(other)))
})
