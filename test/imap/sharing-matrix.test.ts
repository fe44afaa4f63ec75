// Every command of the command table with every right missing. RFC 4314 §4.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findCommandRights } from '../../src/imap/command-rights.ts'
import { commands } from '../../src/imap/commands.ts'
import { formatRights, rightBits, type Rights, rightsOf } from '../../src/store/rights.ts'
import { message } from './harness.ts'
import { createSharing, ofAlice, type Sharing } from './sharing.ts'
import { isRefused, type ScenarioNames, scenarios } from './sharing-scenarios.ts'

const all = rightsOf('lrswipkxtena')
/** Its URL is made by GENURLAUTH; sharing.test.ts has it. */
const elsewhere = new Set(['URLFETCH'])

test('every command says in the table which rights it needs, and each that needs some is tried here', () => {
  for (const { name } of commands) {
    const needed = findCommandRights(name)
    assert.ok(needed, `${name} has no row in command-rights.ts`)
    if (Object.keys(needed).length > 0 && !elsewhere.has(name))
      assert.ok(scenarios[name], `${name} has no scenario`)
  }
  for (const name of Object.keys(scenarios)) assert.ok(Object.keys(findCommandRights(name) ?? {}).length > 0)
})

let cases = 0

function isForSelected(name: string): boolean {
  return commands.some(command => command.name === name.split(' ')[0] && command.state === 'selected')
}

/** Bob uses two mailboxes of alice: `named` and `target` are what he may do there. */
async function attempt(sharing: Sharing, name: string, named: Rights, target: Rights): Promise<boolean> {
  const { alice, enter } = sharing
  const [from, to] = [`from${++cases}`, `to${cases}`]
  await alice.ok(`CREATE ${from}`)
  await alice.ok(`CREATE ${to}`)
  await alice.append(from, message('one'))
  const give = async (mailbox: string, rights: Rights) =>
    alice.ok(`SETACL ${mailbox} bob "${formatRights(rights).replace(/[cd]+$/, '')}"`)
  await give(from, all)
  await give(to, all)
  const bob = await enter('bob')
  await bob.ok(`SUBSCRIBE ${ofAlice(from)}`)
  const isSelected = isForSelected(name)
  if (isSelected) await bob.ok(`SELECT ${ofAlice(from)}`)
  await give(from, named)
  await give(to, target)
  const names: ScenarioNames = {
    from: ofAlice(from),
    to: ofAlice(to),
    below: ofAlice(`${to}/below`),
    grantee: 'carol',
    url: `imap://bob@localhost/Other%20Users/alice@example.test/${from}/;UID=1;URLAUTH=authuser`,
  }
  const answer = await bob.command(scenarios[name]?.text(names) ?? '')
  bob.end()
  const refused = isRefused(name, answer)
  if (!refused) assert.match(answer.tagged, /^OK/, `${name} ${formatRights(named)}: ${answer.tagged}`)
  return refused
}

for (const name of Object.keys(scenarios)) {
  const needed = findCommandRights(name) ?? {}
  const isSelected = isForSelected(name)
  /** Without "r" a session has nothing selected. */
  const kept = isSelected ? rightBits.r : 0
  const onNamed = (needed.mailbox ?? 0) | (needed.selected ?? 0)
  const onTarget = (needed.target ?? 0) | (needed.parent ?? 0)
  const oneOf = (needed.oneOf ?? 0) | (needed.selectedOneOf ?? 0)

  test(`${name} is refused exactly where one of the rights that it needs is missing`, async t => {
    const sharing = await createSharing(t)
    for (const [letter, bit] of Object.entries(rightBits)) {
      if ((bit & kept) === 0)
        assert.equal(
          await attempt(sharing, name, all & ~bit, all),
          (onNamed & bit) !== 0,
          `${name} without ${letter}`,
        )
      assert.equal(
        await attempt(sharing, name, all, all & ~bit),
        (onTarget & bit) !== 0,
        `${name} without ${letter} for the target`,
      )
    }
    // With what it needs and nothing else it works.
    const least = onNamed | kept | (oneOf & -oneOf)
    assert.equal(await attempt(sharing, name, least, onTarget), false, `${name} with the least`)
    if (oneOf !== 0)
      assert.equal(
        await attempt(sharing, name, (all & ~oneOf) | kept, all),
        true,
        `${name} without any of some`,
      )
  })
}
