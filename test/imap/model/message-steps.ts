// What a client does with messages, what that means, and what the answer must be.
import { checkAgreement, criteria, matches } from './agreement.ts'
import { type Belief, type Entry, flagsKey, parseSet, violation } from './belief.ts'
import { choose, type Chosen, look, moment, mustUseUids, prefix, type Sight } from './choose.ts'
import type { ModelClient, Reply } from './model-client.ts'
import type { Box } from './truth.ts'
import { boxOf, expectStatus, free, names, numbers, type World } from './world.ts'

const flagNames = ['\\Seen', '\\Flagged', '\\Answered', '\\Deleted', '\\Deleted', 'k1', 'k2']
const gone = /^NO \[EXPUNGEISSUED\]/
/** Of `1:*` by number: all were expunged by a command before. */
const emptied = /^BAD the mailbox is empty/

export async function learn(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  if (belief.count === 0) return noop(world, client)
  const isUid = mustUseUids(world, client) || world.random.chance(0.5)
  const reply = await client.command(
    isUid ? 'UID FETCH 1:* (FLAGS)' : 'FETCH 1:* (UID FLAGS)',
    isUid ? free : numbers,
  )
  expectStatus(reply, 'FETCH', gone, emptied)
}

/** Commands by number need to know which messages are meant, and so does the model. */
export async function knowAll(world: World, client: ModelClient): Promise<boolean> {
  const belief = client.belief as Belief
  if (belief.entries.every(({ uid }) => uid > 0)) return true
  await learn(world, client)
  return client.belief === belief && belief.entries.every(({ uid }) => uid > 0)
}

export async function fetchFlags(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const items = world.random.pick(['FLAGS', '(UID FLAGS)', '(FLAGS MODSEQ)', '(EMAILID FLAGS)', 'FAST'])
  const [reply, seen] = await client.commandSeeing(
    `${prefix(chosen)}FETCH ${chosen.text} ${items}`,
    moment(chosen),
    () => look(world, client, chosen),
  )
  if (!seen || refusesNumbers(world, reply, seen)) return
  if (items.includes('MODSEQ')) client.switches.condstore = true
  if (!expectStatus(reply, 'FETCH', gone) && !reply.tagged.startsWith('NO')) return
  if (!world.isExact) return
  for (const { uid, number } of seen.there) {
    const start = client.switches.uidOnly ? `* ${uid} UIDFETCH (` : `* ${number} FETCH (`
    if (!reply.untagged.some(line => line.startsWith(start)))
      violation(`FETCH ${chosen.text}: UID ${uid} was not answered`)
  }
  if (!chosen.isUid && seen.there.length < seen.entries.length && reply.status === 'OK')
    violation(`FETCH ${chosen.text} by number is OK, though some are gone (RFC 2180 §4.1.2)`)
}

/** Whether a number is higher than there are messages, since it was said before an EXPUNGE was heard: that is BAD (RFC 9051 §9, seq-number). */
function refusesNumbers({ pipelined }: World, reply: Reply, { isBeyond }: Sight): boolean {
  if (!isBeyond || reply.status === 'BYE') return false
  if (!pipelined) return violation('the model knows how many messages there are')
  if (reply.status !== 'BAD') violation(`a message number that does not exist: ${reply.tagged}`)
  return true
}

export async function fetchBody(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const peek = world.random.pick(['', '.PEEK'])
  const section = world.random.pick(['[HEADER.FIELDS (SUBJECT)]', '[TEXT]'])
  const [reply, seen] = await client.commandSeeing(
    `${prefix(chosen)}FETCH ${chosen.text} (BODY${peek}${section})`,
    moment(chosen),
    () => look(world, client, chosen),
  )
  if (!seen || refusesNumbers(world, reply, seen) || reply.status === 'BYE' || !world.isExact) return
  if (!reply.tagged.startsWith('NO')) expectStatus(reply, 'FETCH')
  const { belief, box } = seen
  for (const { uid, number } of seen.there) {
    const message = box?.messages.get(uid)
    if (peek === '' && !belief.isReadOnly) {
      message?.flags.add('\\Seen')
      box?.touched.add(uid)
    }
    const start = client.switches.uidOnly ? `* ${uid} UIDFETCH (` : `* ${number} FETCH (`
    const line = reply.untagged.find(one => one.startsWith(start) && one.includes('BODY['))
    if (line === undefined) violation(`FETCH ${chosen.text} BODY[]: UID ${uid} was not answered`)
    const told = /Subject: (\S+)/.exec(line)?.[1]
    if (told !== undefined && message?.subject !== undefined && told !== message.subject)
      violation(`UID ${uid} is ${told} and was ${message.subject}`)
  }
}

export async function store(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const { random } = world
  const since = random.chance(0.3)
    ? Math.max(0, (client.belief as Belief).modSeq - random.below(4))
    : undefined
  const change: FlagChange = {
    sign: random.pick(['', '+', '-']),
    isSilent: random.chance(0.5),
    flags: Array.from({ length: random.below(3) }, () => random.pick(flagNames)),
  }
  const condition = since === undefined ? '' : `(UNCHANGEDSINCE ${since}) `
  const [reply, seen] = await client.commandSeeing(
    `${prefix(chosen)}STORE ${chosen.text} ${condition}${change.sign}FLAGS${change.isSilent ? '.SILENT' : ''} (${change.flags.join(' ')})`,
    moment(chosen),
    () => look(world, client, chosen),
  )
  if (!seen || reply.status === 'BYE') return
  if (seen.belief.isReadOnly) {
    expectStatus(reply, 'STORE', /^NO \[READ-ONLY\]/)
    return
  }
  if (refusesNumbers(world, reply, seen)) return
  if (since !== undefined) client.switches.condstore = true
  expectStatus(reply, 'STORE', gone)
  const modified = new Set(parseSet(/\[MODIFIED ([\d,:]+)\]/.exec(reply.tagged)?.[1] ?? '0'))
  if (change.isSilent) believeSilent(seen, chosen, change, reply, modified)
  if (!world.isExact || !seen.box) return
  for (const { uid, number } of seen.there) {
    const isNewer = since !== undefined && (seen.box.modSeqs.get(uid) ?? 0) > since
    const isModified = modified.has(chosen.isUid ? uid : number)
    // RFC 7162 §3.1.3. Of what was changed by a command that was not waited for only the store knows the modSeq.
    const isKnown = since === undefined || !seen.box.touched.has(uid)
    if (reply.status === 'OK' && isKnown && isNewer !== isModified)
      violation(
        `STORE: UID ${uid} is ${isModified ? 'in MODIFIED, and is not newer' : 'newer, and not in MODIFIED'}`,
      )
    const message = seen.box.messages.get(uid)
    if ((reply.status === 'OK' ? isModified : isNewer) || !message) continue
    message.flags = changed(message.flags, change)
    seen.box.touched.add(uid)
  }
}

interface FlagChange {
  readonly sign: string
  readonly isSilent: boolean
  readonly flags: readonly string[]
}

/** A client that asked not to hear of it takes it for done, unless it was told otherwise. */
function believeSilent(
  { belief, entries, flags }: Sight,
  { isUid }: Chosen,
  change: FlagChange,
  { status }: Reply,
  modified: ReadonlySet<number>,
): void {
  for (const entry of entries) {
    const before = flags.get(entry)
    const id = isUid ? entry.uid : belief.entries.indexOf(entry) + 1
    if (before === undefined || entry.flags !== before || modified.has(id)) continue
    entry.flagsModSeq = 0
    // After a NO the client can't know which of them were changed.
    entry.flags = status === 'OK' ? flagsKey(changed(before.split(' ').filter(Boolean), change)) : undefined
  }
}

function changed(before: Iterable<string>, { sign, flags }: FlagChange): Set<string> {
  const after = new Set(sign === '' ? [] : before)
  for (const flag of flags) {
    if (sign === '-') after.delete(flag)
    else after.add(flag)
  }
  return after
}

export async function expunge(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  const box = boxOf(world, client)
  const reply = await client.command('EXPUNGE', free)
  if (!expectStatus(reply, 'EXPUNGE', /^NO \[READ-ONLY\]/) || !box) return
  if (belief.isReadOnly) violation('EXPUNGE after EXAMINE')
  removeDeleted(world, box)
  checkAgreement(world, client)
}

export async function uidExpunge(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen?.isUid) return expunge(world, client)
  const [reply, seen] = await client.commandSeeing(`UID EXPUNGE ${chosen.text}`, free, () =>
    look(world, client, chosen),
  )
  if (!seen || !expectStatus(reply, 'UID EXPUNGE', /^NO \[READ-ONLY\]/) || !seen.box) return
  removeDeleted(world, seen.box, new Set(seen.there.map(({ uid }) => uid)))
  checkAgreement(world, client)
}

export function removeDeleted({ isExact }: World, box: Box, among?: ReadonlySet<number>): void {
  if (!isExact) return
  for (const [uid, { flags }] of Array.from(box.messages))
    if (flags.has('\\Deleted') && (among?.has(uid) ?? true)) box.messages.delete(uid)
}

export async function copy(world: World, client: ModelClient): Promise<void> {
  await transfer(world, client, 'COPY')
}

export async function move(world: World, client: ModelClient): Promise<void> {
  await transfer(world, client, 'MOVE')
}

async function transfer(world: World, client: ModelClient, word: 'COPY' | 'MOVE'): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const { truth, random } = world
  const name = random.pick(names)
  const [reply, seen] = await client.commandSeeing(
    `${prefix(chosen)}${word} ${chosen.text} ${name}`,
    word === 'MOVE' ? free : moment(chosen),
    () => look(world, client, chosen),
  )
  if (!seen || (reply.status === 'BAD' && refusesNumbers(world, reply, seen))) return
  const allowed = [/^NO \[TRYCREATE\]/, gone, ...(word === 'MOVE' ? [/^NO \[READ-ONLY\]/] : [])]
  const source = seen.box
  if (!expectStatus(reply, word, ...allowed) || !world.isExact || !source) return
  const target = truth.box(name)
  const code = /\[COPYUID (\d+) ([\d,:]+) ([\d,:]+)\]/.exec([...reply.untagged, reply.tagged].join('\n'))
  const there = seen.there.map(({ uid }) => uid)
  if (there.length === 0) {
    if (code) violation(`${word} of nothing gives ${code[0]}`)
    return
  }
  if (!code) return violation(`${word} gives no COPYUID`)
  const to = there.map(uid => {
    const { subject, flags } = source.messages.get(uid) as { subject: string | undefined; flags: Set<string> }
    const added = target.add(subject, flags)
    if (word === 'MOVE') source.messages.delete(uid)
    return added
  })
  if (Number(code[1]) !== target.uidValidity) violation(`${code[0]}: not the UIDVALIDITY of ${name}`)
  if (parseSet(code[2] as string).join() !== there.join())
    violation(`${code[0]}: copied were ${there.join(' ')}`)
  if (parseSet(code[3] as string).join() !== to.join())
    violation(`${code[0]}: the new UIDs are ${to.join(' ')}`)
  if (word === 'MOVE') checkAgreement(world, client)
}

export async function replace(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const { random, truth } = world
  const belief = client.belief as Belief
  if (belief.count === 0) return noop(world, client)
  const at = random.below(belief.count)
  const isUid = mustUseUids(world, client) || random.chance(0.5)
  const uid = (belief.entries[at] as Entry).uid
  if (isUid && uid === 0) return noop(world, client)
  const chosen = { text: `${isUid ? uid : at + 1}`, isUid }
  const name = random.chance(0.6) ? belief.name : random.pick(names)
  const { text, subject } = makeMessage(world, 0)
  const [reply, seen] = await client.commandSeeing(
    `${prefix(chosen)}REPLACE ${chosen.text} ${name} (\\Flagged) ${text}`,
    free,
    () => look(world, client, chosen),
  )
  if (!seen || (reply.status === 'BAD' && refusesNumbers(world, reply, seen))) return
  const isDone = expectStatus(reply, 'REPLACE', /^NO \[(?:TRYCREATE|READ-ONLY|NONEXISTENT|EXPUNGEISSUED)\]/)
  if (!isDone || !world.isExact || !seen.box) return
  const [replaced] = seen.there
  if (!replaced) return violation('REPLACE of a message that is gone is OK')
  truth.box(name).add(subject, ['\\Flagged'])
  seen.box.messages.delete(replaced.uid)
  checkAgreement(world, client)
}

function makeMessage({ label }: World, number: number): { readonly text: string; readonly subject: string } {
  const subject = `s${label}.${number}`
  const bytes = `Subject: ${subject}\r\n\r\nbody\r\n`
  return { subject, text: `{${bytes.length}+}\r\n${bytes}` }
}

export async function append(world: World, client: ModelClient): Promise<void> {
  const { random, truth } = world
  const name = client.belief && random.chance(0.6) ? client.belief.name : random.pick(names)
  const flags = random.pick([[], ['\\Seen'], ['\\Deleted'], ['k1', '\\Flagged']])
  const made = Array.from({ length: 1 + random.below(3) }, (_, at) => makeMessage(world, at))
  const list = flags.length === 0 ? '' : `(${flags.join(' ')}) `
  const reply = await client.command(`APPEND ${name} ${made.map(({ text }) => list + text).join(' ')}`, free)
  if (!expectStatus(reply, 'APPEND', /^NO \[TRYCREATE\]/) || !world.isExact) return
  const box = truth.box(name)
  const uids = made.map(({ subject }) => box.add(subject, flags))
  const code = /\[APPENDUID (\d+) ([\d,:]+)\]/.exec(reply.tagged)
  if (Number(code?.[1]) !== box.uidValidity || parseSet(code?.[2] ?? '0').join() !== uids.join())
    violation(`APPEND: ${reply.tagged}, and not ${box.uidValidity} ${uids.join(' ')}`)
}

export async function noop(world: World, client: ModelClient): Promise<void> {
  const reply = await client.command(world.random.pick(['NOOP', 'CHECK']), free)
  if (expectStatus(reply, 'NOOP', /^BAD select a mailbox first/)) checkAgreement(world, client)
}

export async function search(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const { random, pipelined } = world
  const belief = client.belief as Belief
  const isUid = mustUseUids(world, client) || random.chance(0.5)
  const criterion = random.pick(criteria)
  const isSaved = random.chance(0.4)
  if (isSaved && pipelined) pipelined.savesResult = world.isExact
  const options = isSaved ? 'RETURN (SAVE ALL) ' : random.chance(0.3) ? 'RETURN (ALL COUNT) ' : ''
  const [reply, seen] = await client.commandSeeing(
    `${isUid ? 'UID ' : ''}SEARCH ${options}${criterion}`,
    isUid ? free : numbers,
    () => ({ ...look(world, client, { text: '1:*', isUid }), before: [...belief.entries] }),
  )
  if (!expectStatus(reply, 'SEARCH') || !world.isExact || !seen?.box) {
    if (isSaved) belief.saved.clear()
    return
  }
  const { box, before } = seen
  // What is gone matches nothing, and what was not told is not looked at.
  const wanted = seen.there.filter(({ uid }) => matches(box, uid, criterion))
  const ids = wanted.map(({ uid, number }) => (isUid ? uid : number))
  const line =
    reply.untagged.find(
      one => one.startsWith('* SEARCH') || /^\* ESEARCH (?!.*(?:ADDTO|REMOVEFROM))/.test(one),
    ) ?? ''
  const told = line.startsWith('* SEARCH')
    ? line.slice(8).trim().split(' ').filter(Boolean).map(Number)
    : parseSet(/ ALL ([\d,:]+)/.exec(line)?.[1] ?? '').filter(id => id > 0)
  if (told.join() !== ids.join())
    violation(`SEARCH ${criterion} found ${told.join(' ')}, and not ${ids.join(' ')}`)
  if (!isSaved) return
  belief.saved.clear()
  for (const { uid, number } of wanted) {
    const entry = before[number - 1] as Entry
    if (!belief.entries.includes(entry)) continue
    // `$` stands for UIDs, whether or not they were told.
    entry.uid ||= uid
    belief.saved.add(entry)
  }
}

export async function updatingSearch(world: World, client: ModelClient): Promise<void> {
  const { random } = world
  const belief = client.belief as Belief
  const [first] = belief.contexts.keys()
  if (first !== undefined && (random.chance(0.5) || belief.contexts.size >= 4)) {
    belief.contexts.delete(first)
    belief.cancelled = first
    expectStatus(await client.command(`CANCELUPDATE "${first}"`, free), 'CANCELUPDATE')
    return
  }
  // The model has to know all by UID; new ones are learnt at once from here on.
  if (!world.isExact || client.switches.uidOnly || !(await knowAll(world, client))) return
  const criterion = random.pick(criteria)
  const isUid = client.notify === 'selected'
  belief.updating = { tag: client.nextTag, isUid, criterion }
  const reply = await client.command(
    `${isUid ? 'UID ' : ''}SEARCH RETURN (UPDATE ALL) ${criterion}`,
    isUid ? free : numbers,
  )
  if (!expectStatus(reply, 'SEARCH')) return
  if (belief.updating) violation('SEARCH RETURN (UPDATE ALL) was not answered')
  const refused = /\[NOUPDATE "([^"]+)"\]/.exec(reply.untagged.join())?.[1]
  if (refused !== undefined) belief.contexts.delete(refused)
}

export async function changedSince(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const belief = client.belief as Belief
  if (!client.switches.condstore || belief.count === 0 || belief.modSeq === 0) return noop(world, client)
  const since = Math.max(1, belief.modSeq - world.random.below(6))
  const withVanished = client.switches.qresync && world.random.chance(0.6)
  const reply = await client.command(
    `UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${since}${withVanished ? ' VANISHED' : ''})`,
    {
      mayExpunge: true,
      mayTellEarlier: withVanished,
    },
  )
  expectStatus(reply, 'UID FETCH')
}
