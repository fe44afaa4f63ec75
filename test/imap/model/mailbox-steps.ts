// What a client does with mailboxes and with its session.
import { type Belief, violation } from './belief.ts'
import { checkAgreement, matches } from './agreement.ts'
import { learn, noop, removeDeleted } from './message-steps.ts'
import type { ModelClient } from './model-client.ts'
import type { Box } from './truth.ts'
import { boxOf, expectStatus, free, names, type World } from './world.ts'

export async function status(world: World, client: ModelClient): Promise<void> {
  const { truth, random } = world
  const name = random.pick(names)
  // RFC 7162 §3.1: asking for HIGHESTMODSEQ switches CONDSTORE on.
  const withModSeq = random.chance(0.2)
  const reply = await client.command(
    `STATUS ${name} (MESSAGES UIDNEXT UNSEEN DELETED${withModSeq ? ' HIGHESTMODSEQ' : ''})`,
    free,
  )
  if (!expectStatus(reply, 'STATUS', /^NO \[NONEXISTENT\]/)) return
  if (withModSeq) client.switches.condstore = true
  if (!world.isExact) return
  const box = truth.box(name)
  const all = [...box.messages.keys()]
  const count = (criterion: string) => all.filter(uid => matches(box, uid, criterion)).length
  const wanted = `MESSAGES ${all.length} UIDNEXT ${box.uidNext} UNSEEN ${count('UNSEEN')} DELETED ${count('DELETED')}`
  const line = reply.untagged.find(one => one.startsWith('* STATUS')) ?? ''
  if (!line.includes(`(${wanted}`)) violation(`${line}, and not ${wanted}`)
}

export async function createMailbox(world: World, client: ModelClient): Promise<void> {
  const name = world.random.pick(names.slice(1))
  const reply = await client.command(`CREATE ${name}`, free)
  if (expectStatus(reply, 'CREATE', /^NO \[ALREADYEXISTS\]/) && world.isExact) await world.truth.adoptNames()
}

export async function deleteMailbox(world: World, client: ModelClient): Promise<void> {
  const { random, truth } = world
  if (random.chance(0.5)) return createMailbox(world, client)
  const name = random.pick(names.slice(1))
  const box = truth.boxes.get(name)
  const own = client.belief !== undefined && box?.uidValidity === client.belief.uidValidity
  const reply = await client.command(`DELETE ${name}`, free)
  if (!expectStatus(reply, 'DELETE', /^NO \[(?:NONEXISTENT|HASCHILDREN)\]/)) return
  // One's own selected mailbox is left by it.
  if (own) client.leave()
  if (world.isExact) await truth.adoptNames()
}

export async function renameMailbox(world: World, client: ModelClient): Promise<void> {
  const { random, truth } = world
  const from = random.pick(names.slice(1))
  const to = random.pick(names.slice(1))
  const reply = await client.command(`RENAME ${from} ${to}`, free)
  if (expectStatus(reply, 'RENAME', /^NO \[(?:NONEXISTENT|ALREADYEXISTS|CANNOT)\]/) && world.isExact)
    await truth.adoptNames()
}

export async function enable(world: World, client: ModelClient): Promise<void> {
  const word = world.random.pick(['CONDSTORE', 'QRESYNC', 'QRESYNC', 'IMAP4rev2', 'UIDONLY'])
  const reply = await client.command(`ENABLE ${word}`, free)
  expectStatus(reply, 'ENABLE')
}

export async function notify(world: World, client: ModelClient): Promise<void> {
  const mode = world.random.pick(['none', 'selected', 'delayed'] as const)
  const events = '(MessageNew MessageExpunge FlagChange)'
  const filter = mode === 'delayed' ? 'selected-delayed' : 'selected'
  const text = mode === 'none' ? 'NOTIFY NONE' : `NOTIFY SET (${filter} ${events})`
  // RFC 5465: NONE means that nothing is told any more, so the model goes on without it: it says what a session without NOTIFY has.
  if (mode === 'none') return noop(world, client)
  client.notify = mode
  expectStatus(await client.command(text, free), 'NOTIFY')
}

export async function select(world: World, client: ModelClient): Promise<void> {
  if (client.belief && world.random.chance(0.8)) await learn(world, client)
  if (!client.isEnded) await open(world, client, world.random.pick(names))
}

/** Without waiting to hear that the mailbox is open. */
export async function selectAndLearn(world: World, client: ModelClient): Promise<void> {
  const opening = open(world, client, world.random.pick(names))
  const [reply] = await Promise.all([client.command('UID FETCH 1:* (FLAGS)', free), opening])
  expectStatus(reply, 'UID FETCH', /^BAD select a mailbox first/)
}

async function open(world: World, client: ModelClient, name: string): Promise<void> {
  const { random, truth } = world
  const word = random.chance(0.85) ? 'SELECT' : 'EXAMINE'
  const box = truth.boxes.get(name)
  const cache = client.switches.qresync && box ? cacheOf(client, box) : undefined
  let parameters = ''
  let known = ''
  if (cache) {
    const uids = [...cache.entries.keys()]
    known =
      uids.length > 0 && random.chance(0.6)
        ? ` ${random.chance(0.5) ? uids.join(',') : `1:${Math.max(...uids)}`}`
        : ''
    const match = known !== '' && !client.switches.uidOnly && random.chance(0.3) ? matchData(uids) : ''
    parameters = ` (QRESYNC (${cache.uidValidity} ${cache.modSeq}${known}${match}))`
  } else if (random.chance(0.3)) parameters = ' (CONDSTORE)'
  const reply = await client.open(word, name, parameters, cache && { ...cache, isWhole: known === '' })
  if (!expectStatus(reply, word, /^NO \[NONEXISTENT\]/)) return
  checkAgreement(world, client)
}

/** The cache of the mailbox as it was when this client last left it, if it knew it whole. */
function cacheOf(client: ModelClient, box: Box) {
  if (client.belief?.uidValidity === box.uidValidity) return client.belief.toCache()
  return client.caches.get(box.uidValidity)
}

/** RFC 7162 §3.2.5.2: some numbers with their UIDs. */
function matchData(uids: readonly number[]): string {
  const pairs = uids.map((uid, at) => [at + 1, uid] as const).filter((_, at) => at % 2 === 0)
  return ` (${pairs.map(([number]) => number).join(',')} ${pairs.map(([, uid]) => uid).join(',')})`
}

/** Comes back as a client whose connection broke, or who said good-bye; often to the same mailbox, to hear what it has missed. */
export async function reconnect(world: World, client: ModelClient): Promise<void> {
  const { random } = world
  const name = client.belief?.name
  if (random.chance(0.5)) await client.command('LOGOUT', free)
  client.leave()
  client.destroy()
  const again = await world.connect(client)
  if (random.chance(0.3)) return
  await again.command(
    `ENABLE ${client.switches.uidOnly && random.chance(0.5) ? 'UIDONLY ' : ''}QRESYNC`,
    free,
  )
  await open(world, again, name ?? random.pick(names))
}

export async function idle(_world: World, client: ModelClient): Promise<void> {
  await client.idle()
}

export async function leave(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  const word = world.random.pick(['CLOSE', 'UNSELECT'])
  const box = boxOf(world, client)
  const reply = await client.command(word, free)
  if (!expectStatus(reply, word)) return
  if (word === 'CLOSE' && !belief.isReadOnly && box) removeDeleted(world, box)
  client.leave()
}
