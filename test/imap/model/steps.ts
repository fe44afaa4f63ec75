// The steps of the model: what a client may do next, what that means for the mailboxes, and what the answer must be.
import type { Random } from '../../../bench/random.ts'
import { type Belief, type Entry, flagsKey, parseSet, violation } from './belief.ts'
import type { ModelClient, Reply } from './model-client.ts'
import type { Box, Truth } from './truth.ts'

export interface World {
  readonly truth: Truth
  /** One command at a time, so that what each of them means is known. */
  readonly isExact: boolean
  readonly random: Random
  /** Made of the step's number: subjects are told apart by it. */
  readonly label: string
  /** Connects a client anew. */
  connect(client: ModelClient): Promise<ModelClient>
}

type Step = (world: World, client: ModelClient) => Promise<void>

const numbers = { mayExpunge: false, mayTellEarlier: false }
const free = { mayExpunge: true, mayTellEarlier: false }
const names = ['INBOX', 'one', 'two', 'two/below', 'three']
const flagNames = ['\\Seen', '\\Flagged', '\\Answered', '\\Deleted', '\\Deleted', 'k1', 'k2']

/** What can be done without a mailbox, and how often. */
const anywhere: readonly (readonly [number, Step])[] = [
  [8, select],
  [5, append],
  [1, createMailbox],
  [1, deleteMailbox],
  [1, renameMailbox],
  [2, status],
  [1, reconnect],
  [1, enable],
]

const selected: readonly (readonly [number, Step])[] = [
  [3, select],
  [6, append],
  [1, createMailbox],
  [1, deleteMailbox],
  [1, renameMailbox],
  [2, status],
  [3, reconnect],
  [1, enable],
  [8, learn],
  [8, fetchFlags],
  [4, fetchBody],
  [14, store],
  [5, expunge],
  [3, uidExpunge],
  [4, copy],
  [3, move],
  [3, replace],
  [5, search],
  [6, noop],
  [4, idle],
  [2, leave],
  [2, changedSince],
  [2, updatingSearch],
  [1, notify],
]

/** Takes one step of one client. Throws Violation. */
export async function step(world: World, last: ModelClient): Promise<void> {
  const client = last.isEnded ? await world.connect(last) : last
  if (client.idleTag !== undefined) {
    const reply = await client.done()
    // The mailbox may be gone.
    if (reply.status === 'BYE') return
    checkAgreement(world, client)
  }
  // What is told between commands may be on its way: with an answer in hand the client has heard it all.
  if (client.notify !== 'none') {
    const { status: told } = await client.command('NOOP', free)
    if (told === 'BYE') return
    checkAgreement(world, client)
  }
  const table = client.belief ? selected : anywhere
  let dice = world.random.below(table.reduce((sum, [weight]) => sum + weight, 0))
  for (const [weight, take] of table) {
    dice -= weight
    if (dice < 0) return take(world, client)
  }
}

/** After a command that tells everything: what the client believes is so. */
export function checkAgreement({ truth, isExact }: World, { belief, switches }: ModelClient): void {
  if (!isExact || !belief) return
  const box = truth.byValidity(belief.uidValidity)
  // It is gone, and BYE is on its way.
  if (!box) return
  const uids = [...box.messages.keys()]
  if (uids.length !== belief.count)
    violation(`the client believes in ${belief.count} messages of ${uids.length}`)
  for (const [at, { uid, flags }] of belief.entries.entries()) {
    if (switches.uidOnly && uid === 0) continue
    if (uid !== 0 && !box.messages.has(uid)) violation(`the client believes in UID ${uid}, which is gone`)
    if (uid !== 0 && !switches.uidOnly && uids[at] !== uid)
      violation(`message ${at + 1} is UID ${uids[at]}, the client believes ${uid}`)
    const real = uid === 0 ? (uids[at] as number) : uid
    if (flags !== undefined && flags !== box.flagsOf(real))
      violation(
        `the client believes that UID ${real} has the flags (${flags}), but it has (${box.flagsOf(real)})`,
      )
  }
  for (const [tag, { criterion, members }] of belief.contexts) {
    const wanted = uids.filter(uid => matches(box, uid, criterion))
    const believed = [...members].map(member =>
      typeof member === 'number' ? member : (uids[belief.entries.indexOf(member)] as number),
    )
    if (wanted.join() !== believed.toSorted((a, b) => a - b).join())
      violation(
        `${tag} (${criterion}) is believed to have ${believed.join(' ')}, and has ${wanted.join(' ')}`,
      )
  }
}

// Choosing

interface Chosen {
  readonly text: string
  readonly isUid: boolean
  readonly entries: readonly Entry[]
}

/** Some messages, in a form that the client may use now. Undefined where there are none that it could name. */
function choose({ random }: World, client: ModelClient): Chosen | undefined {
  const belief = client.belief as Belief
  const mustUid = client.switches.uidOnly || client.notify === 'selected'
  if (belief.count === 0) return undefined
  const isUid = mustUid || random.chance(0.5)
  if (belief.saved.size > 0 && random.chance(0.15))
    return { text: '$', isUid, entries: belief.entries.filter(entry => belief.saved.has(entry)) }
  if (random.chance(0.1) && belief.entries.every(({ uid }) => uid > 0))
    return { text: '1:*', isUid, entries: [...belief.entries] }
  const entries = new Set<Entry>()
  const parts: string[] = []
  const able = isUid ? belief.entries.filter(({ uid }) => uid > 0) : belief.entries
  if (able.length === 0) return undefined
  for (let left = 1 + random.below(3); left > 0; left--) {
    const from = random.below(able.length)
    const to = random.chance(0.5) ? from : random.below(able.length)
    const ends = [from, to].map(at => (isUid ? able[at]?.uid : at + 1)) as [number, number]
    parts.push(from === to ? `${ends[0]}` : `${ends[0]}:${ends[1]}`)
    const low = Math.min(...ends)
    const high = Math.max(...ends)
    for (const [at, entry] of belief.entries.entries()) {
      const id = isUid ? entry.uid : at + 1
      if (id >= low && id <= high) entries.add(entry)
    }
  }
  // Within a range of UIDs there may be some that the client has not heard: they are not to be guessed at.
  if (isUid && belief.entries.some(({ uid }) => uid === 0)) return undefined
  return { text: parts.join(','), isUid, entries: belief.entries.filter(entry => entries.has(entry)) }
}

const moment = ({ isUid }: Chosen) => (isUid ? free : numbers)
const prefix = ({ isUid }: Chosen) => (isUid ? 'UID ' : '')

function boxOf({ truth }: World, client: ModelClient): Box | undefined {
  return truth.byValidity((client.belief as Belief).uidValidity)
}

/** Those of the chosen that are still there; all of whose UIDs the model has to know. */
function present(world: World, client: ModelClient, { entries }: Chosen): Entry[] {
  const box = boxOf(world, client)
  return entries.filter(({ uid }) => box?.messages.has(uid))
}

/** Commands by number need to know which messages are meant, and so does the model. */
async function knowAll(world: World, client: ModelClient): Promise<boolean> {
  const belief = client.belief as Belief
  if (belief.entries.every(({ uid }) => uid > 0)) return true
  await learn(world, client)
  return client.belief === belief && belief.entries.every(({ uid }) => uid > 0)
}

function expectStatus(reply: Reply, command: string, ...allowed: readonly RegExp[]): boolean {
  if (reply.status === 'OK') return true
  // The mailbox that is open may be gone; BYE follows.
  if (reply.tagged.startsWith('NO [NONEXISTENT]')) return false
  if (reply.status === 'BYE' || allowed.some(pattern => pattern.test(reply.tagged))) return false
  return violation(`${command}: ${reply.tagged}`)
}

const gone = /^NO \[EXPUNGEISSUED\]/

// Steps

async function learn(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  if (belief.count === 0) return noop(world, client)
  const isUid = client.switches.uidOnly || client.notify === 'selected' || world.random.chance(0.5)
  const reply = await client.command(
    isUid ? 'UID FETCH 1:* (FLAGS)' : 'FETCH 1:* (UID FLAGS)',
    isUid ? free : numbers,
  )
  expectStatus(reply, 'FETCH', gone)
}

async function fetchFlags(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const wanted = present(world, client, chosen)
  const belief = client.belief as Belief
  const numbersOf = new Map(belief.entries.map((entry, at) => [entry, at + 1]))
  const items = world.random.pick(['FLAGS', '(UID FLAGS)', '(FLAGS MODSEQ)', '(EMAILID FLAGS)', 'FAST'])
  const reply = await client.command(`${prefix(chosen)}FETCH ${chosen.text} ${items}`, moment(chosen))
  if (items.includes('MODSEQ')) client.switches.condstore = true
  if (!expectStatus(reply, 'FETCH', gone) && !reply.tagged.startsWith('NO')) return
  if (!world.isExact) return
  for (const entry of wanted) {
    const start = client.switches.uidOnly ? `* ${entry.uid} UIDFETCH (` : `* ${numbersOf.get(entry)} FETCH (`
    if (!reply.untagged.some(line => line.startsWith(start)))
      violation(`FETCH ${chosen.text}: UID ${entry.uid} was not answered`)
  }
  if (!chosen.isUid && wanted.length < chosen.entries.length && reply.status === 'OK')
    violation(`FETCH ${chosen.text} by number is OK, though some are gone (RFC 2180 §4.1.2)`)
}

async function fetchBody(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const belief = client.belief as Belief
  const peek = world.random.pick(['', '.PEEK'])
  const section = world.random.pick(['[HEADER.FIELDS (SUBJECT)]', '[TEXT]'])
  const wanted = present(world, client, chosen)
  const numbersOf = new Map(belief.entries.map((entry, at) => [entry, at + 1]))
  const reply = await client.command(
    `${prefix(chosen)}FETCH ${chosen.text} (BODY${peek}${section})`,
    moment(chosen),
  )
  if (reply.status === 'BYE' || !world.isExact) return
  if (!reply.tagged.startsWith('NO')) expectStatus(reply, 'FETCH')
  const box = boxOf(world, client) as Box
  for (const entry of wanted) {
    if (peek === '' && !belief.isReadOnly) box.messages.get(entry.uid)?.flags.add('\\Seen')
    const start = client.switches.uidOnly ? `* ${entry.uid} UIDFETCH (` : `* ${numbersOf.get(entry)} FETCH (`
    const line = reply.untagged.find(one => one.startsWith(start) && one.includes('BODY['))
    if (line === undefined) violation(`FETCH ${chosen.text} BODY[]: UID ${entry.uid} was not answered`)
    const subject = box.messages.get(entry.uid)?.subject
    const told = /Subject: (\S+)/.exec(line)?.[1]
    if (told !== undefined && subject !== undefined && told !== subject)
      violation(`UID ${entry.uid} is ${told} and was ${subject}`)
  }
}

async function store(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const { random } = world
  const belief = client.belief as Belief
  const sign = random.pick(['', '+', '-'])
  const isSilent = random.chance(0.5)
  const flags = Array.from({ length: random.below(3) }, () => random.pick(flagNames))
  const since = random.chance(0.3) ? Math.max(0, belief.modSeq - random.below(4)) : undefined
  const box = boxOf(world, client)
  const there = present(world, client, chosen)
  const refused = since === undefined ? [] : there.filter(({ uid }) => (box?.modSeqs.get(uid) ?? 0) > since)
  const numbersOf = new Map(belief.entries.map((entry, at) => [entry, at + 1]))
  const believed = chosen.entries.map(entry => [entry, entry.flags] as const)
  const reply = await client.command(
    `${prefix(chosen)}STORE ${chosen.text} ${since === undefined ? '' : `(UNCHANGEDSINCE ${since}) `}${sign}FLAGS${isSilent ? '.SILENT' : ''} (${flags.join(' ')})`,
    moment(chosen),
  )
  if (belief.isReadOnly) {
    if (reply.status !== 'BYE') expectStatus(reply, 'STORE', /^NO \[READ-ONLY\]/)
    return
  }
  if (reply.status === 'BYE') return
  if (since !== undefined) client.switches.condstore = true
  expectStatus(reply, 'STORE', gone)
  const modified = new Set(parseSet(/\[MODIFIED ([\d,:]+)\]/.exec(reply.tagged)?.[1] ?? '0'))
  const idOf = (entry: Entry) => (chosen.isUid ? entry.uid : (numbersOf.get(entry) as number))
  if (isSilent) {
    // A client that asked not to hear of it takes it for done, unless it was told otherwise.
    for (const [entry, flagsBefore] of believed) {
      if (flagsBefore === undefined || entry.flags !== flagsBefore || modified.has(idOf(entry))) continue
      entry.flagsModSeq = 0
      // After a NO the client can't know which of them were changed.
      if (reply.status !== 'OK') {
        entry.flags = undefined
        continue
      }
      entry.flags = flagsKey(changed(flagsBefore.split(' ').filter(Boolean), sign, flags))
    }
  }
  if (!world.isExact || !box) return
  for (const entry of there) {
    const isRefused = refused.includes(entry)
    if (reply.status === 'OK' && modified.has(idOf(entry)) !== isRefused)
      violation(
        `STORE ${chosen.text}: ${idOf(entry)} is ${isRefused ? 'newer, and not in MODIFIED' : 'in MODIFIED, and is not newer'}`,
      )
    const message = box.messages.get(entry.uid)
    if (isRefused || !message) continue
    message.flags = changed(message.flags, sign, flags)
  }
}

function changed(before: Iterable<string>, sign: string, flags: readonly string[]): Set<string> {
  const after = new Set(sign === '' ? [] : before)
  for (const flag of flags) {
    if (sign === '-') after.delete(flag)
    else after.add(flag)
  }
  return after
}

async function expunge(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  const box = boxOf(world, client)
  const reply = await client.command('EXPUNGE', free)
  if (!expectStatus(reply, 'EXPUNGE', /^NO \[READ-ONLY\]/) || !box) return
  if (belief.isReadOnly) violation('EXPUNGE after EXAMINE')
  removeDeleted(world, box)
  checkAgreement(world, client)
}

async function uidExpunge(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen?.isUid) return expunge(world, client)
  const box = boxOf(world, client)
  const reply = await client.command(`UID EXPUNGE ${chosen.text}`, free)
  if (!expectStatus(reply, 'UID EXPUNGE', /^NO \[READ-ONLY\]/) || !box) return
  removeDeleted(world, box, new Set(chosen.entries.map(({ uid }) => uid)))
  checkAgreement(world, client)
}

function removeDeleted({ isExact }: World, box: Box, among?: ReadonlySet<number>): void {
  if (!isExact) return
  for (const [uid, { flags }] of Array.from(box.messages))
    if (flags.has('\\Deleted') && (among?.has(uid) ?? true)) box.messages.delete(uid)
}

async function copy(world: World, client: ModelClient): Promise<void> {
  await transfer(world, client, 'COPY')
}

async function move(world: World, client: ModelClient): Promise<void> {
  await transfer(world, client, 'MOVE')
}

async function transfer(world: World, client: ModelClient, word: 'COPY' | 'MOVE'): Promise<void> {
  if (!(await knowAll(world, client))) return
  const chosen = choose(world, client)
  if (!chosen) return noop(world, client)
  const { truth, random } = world
  const name = random.pick(names)
  const source = boxOf(world, client)
  const there = present(world, client, chosen).map(({ uid }) => uid)
  const reply = await client.command(
    `${prefix(chosen)}${word} ${chosen.text} ${name}`,
    word === 'MOVE' ? free : moment(chosen),
  )
  const allowed = [/^NO \[TRYCREATE\]/, gone, ...(word === 'MOVE' ? [/^NO \[READ-ONLY\]/] : [])]
  if (!expectStatus(reply, word, ...allowed) || !world.isExact || !source) return
  const target = truth.box(name)
  const code = /\[COPYUID (\d+) ([\d,:]+) ([\d,:]+)\]/.exec([...reply.untagged, reply.tagged].join('\n'))
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

async function replace(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const { random, truth } = world
  const belief = client.belief as Belief
  if (belief.count === 0) return noop(world, client)
  const at = random.below(belief.count)
  const entry = belief.entries[at] as Entry
  const isUid = client.switches.uidOnly || client.notify === 'selected' || random.chance(0.5)
  const name = random.chance(0.6) ? belief.name : random.pick(names)
  const box = boxOf(world, client)
  const { text, subject } = makeMessage(world, 0)
  const reply = await client.command(
    `${isUid ? 'UID ' : ''}REPLACE ${isUid ? entry.uid : at + 1} ${name} (\\Flagged) ${text}`,
    free,
  )
  if (
    !expectStatus(reply, 'REPLACE', /^NO \[(?:TRYCREATE|READ-ONLY|NONEXISTENT|EXPUNGEISSUED)\]/) ||
    !world.isExact ||
    !box
  )
    return
  truth.box(name).add(subject, ['\\Flagged'])
  box.messages.delete(entry.uid)
  checkAgreement(world, client)
}

function makeMessage({ label }: World, number: number): { readonly text: string; readonly subject: string } {
  const subject = `s${label}.${number}`
  const bytes = `Subject: ${subject}\r\n\r\nbody\r\n`
  return { subject, text: `{${bytes.length}+}\r\n${bytes}` }
}

async function append(world: World, client: ModelClient): Promise<void> {
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

async function noop(world: World, client: ModelClient): Promise<void> {
  const reply = await client.command(world.random.pick(['NOOP', 'CHECK']), free)
  if (expectStatus(reply, 'NOOP', /^BAD select a mailbox first/)) checkAgreement(world, client)
}

async function idle(_world: World, client: ModelClient): Promise<void> {
  await client.idle()
}

async function leave(world: World, client: ModelClient): Promise<void> {
  const belief = client.belief as Belief
  const word = world.random.pick(['CLOSE', 'UNSELECT'])
  const box = boxOf(world, client)
  const reply = await client.command(word, free)
  if (!expectStatus(reply, word)) return
  if (word === 'CLOSE' && !belief.isReadOnly && box) removeDeleted(world, box)
  client.leave()
}

async function search(world: World, client: ModelClient): Promise<void> {
  if (!(await knowAll(world, client))) return
  const { random } = world
  const belief = client.belief as Belief
  const isUid = client.switches.uidOnly || client.notify === 'selected' || random.chance(0.5)
  const criterion = random.pick(criteria)
  const isSaved = random.chance(0.4)
  const box = boxOf(world, client)
  const before = [...belief.entries]
  const reply = await client.command(
    `${isUid ? 'UID ' : ''}SEARCH ${isSaved ? 'RETURN (SAVE ALL) ' : random.chance(0.3) ? 'RETURN (ALL COUNT) ' : ''}${criterion}`,
    isUid ? free : numbers,
  )
  if (!expectStatus(reply, 'SEARCH') || !world.isExact || !box) {
    if (isSaved) belief.saved.clear()
    return
  }
  // What is gone matches nothing, and what was not told is not looked at.
  const wanted = before.filter(({ uid }) => box.messages.has(uid) && matches(box, uid, criterion))
  const ids = wanted.map(entry => (isUid ? entry.uid : before.indexOf(entry) + 1))
  const line =
    reply.untagged.find(
      one => one.startsWith('* SEARCH') || /^\* ESEARCH (?!.*(?:ADDTO|REMOVEFROM))/.test(one),
    ) ?? ''
  const told = line.startsWith('* SEARCH')
    ? line.slice(8).trim().split(' ').filter(Boolean).map(Number)
    : parseSet(/ ALL ([\d,:]+)/.exec(line)?.[1] ?? '').filter(id => id > 0)
  if (told.join() !== ids.join())
    violation(`SEARCH ${criterion} found ${told.join(' ')}, and not ${ids.join(' ')}`)
  if (isSaved) belief.saved = new Set(wanted.filter(entry => belief.entries.includes(entry)))
}

const criteria = ['ALL', 'UNSEEN', 'FLAGGED', 'DELETED', 'KEYWORD k1', 'NOT KEYWORD k1']

function matches(box: Box, uid: number, criterion: string): boolean {
  const flags = box.messages.get(uid)?.flags ?? new Set()
  switch (criterion) {
    case 'UNSEEN':
      return !flags.has('\\Seen')
    case 'FLAGGED':
      return flags.has('\\Flagged')
    case 'DELETED':
      return flags.has('\\Deleted')
    case 'KEYWORD k1':
      return flags.has('k1')
    case 'NOT KEYWORD k1':
      return !flags.has('k1')
    default:
      return true
  }
}

async function updatingSearch(world: World, client: ModelClient): Promise<void> {
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

async function changedSince(world: World, client: ModelClient): Promise<void> {
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

async function status(world: World, client: ModelClient): Promise<void> {
  const { truth, random } = world
  const name = random.pick(names)
  // RFC 7162 §3.1: asking for HIGHESTMODSEQ switches CONDSTORE on.
  const withModSeq = random.chance(0.2)
  if (withModSeq && truth.boxes.has(name)) client.switches.condstore = true
  const reply = await client.command(
    `STATUS ${name} (MESSAGES UIDNEXT UNSEEN DELETED${withModSeq ? ' HIGHESTMODSEQ' : ''})`,
    free,
  )
  if (!expectStatus(reply, 'STATUS', /^NO \[NONEXISTENT\]/) || !world.isExact) return
  const box = truth.box(name)
  const all = [...box.messages.keys()]
  const count = (criterion: string) => all.filter(uid => matches(box, uid, criterion)).length
  const wanted = `MESSAGES ${all.length} UIDNEXT ${box.uidNext} UNSEEN ${count('UNSEEN')} DELETED ${count('DELETED')}`
  const line = reply.untagged.find(one => one.startsWith('* STATUS')) ?? ''
  if (!line.includes(`(${wanted}`)) violation(`${line}, and not ${wanted}`)
}

async function createMailbox(world: World, client: ModelClient): Promise<void> {
  const name = world.random.pick(names.slice(1))
  const reply = await client.command(`CREATE ${name}`, free)
  if (expectStatus(reply, 'CREATE', /^NO \[ALREADYEXISTS\]/) && world.isExact) await world.truth.adoptNames()
}

async function deleteMailbox(world: World, client: ModelClient): Promise<void> {
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

async function renameMailbox(world: World, client: ModelClient): Promise<void> {
  const { random, truth } = world
  const from = random.pick(names.slice(1))
  const to = random.pick(names.slice(1))
  const reply = await client.command(`RENAME ${from} ${to}`, free)
  if (expectStatus(reply, 'RENAME', /^NO \[(?:NONEXISTENT|ALREADYEXISTS|CANNOT)\]/) && world.isExact)
    await truth.adoptNames()
}

async function enable(world: World, client: ModelClient): Promise<void> {
  const word = world.random.pick(['CONDSTORE', 'QRESYNC', 'QRESYNC', 'IMAP4rev2', 'UIDONLY'])
  const reply = await client.command(`ENABLE ${word}`, free)
  expectStatus(reply, 'ENABLE')
}

async function notify(world: World, client: ModelClient): Promise<void> {
  const mode = world.random.pick(['none', 'selected', 'delayed'] as const)
  const events = '(MessageNew MessageExpunge FlagChange)'
  const filter = mode === 'delayed' ? 'selected-delayed' : 'selected'
  const text = mode === 'none' ? 'NOTIFY NONE' : `NOTIFY SET (${filter} ${events})`
  // RFC 5465: NONE means that nothing is told any more, so the model goes on without it: it says what a session without NOTIFY has.
  if (mode === 'none') return noop(world, client)
  client.notify = mode
  expectStatus(await client.command(text, free), 'NOTIFY')
}

async function select(world: World, client: ModelClient, again?: string): Promise<void> {
  const { random, truth } = world
  const name = again ?? random.pick(names)
  const word = random.chance(0.85) ? 'SELECT' : 'EXAMINE'
  const box = truth.boxes.get(name)
  if (client.belief && random.chance(0.8)) await learn(world, client)
  if (client.isEnded) return
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
async function reconnect(world: World, client: ModelClient): Promise<void> {
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
  await select(world, again, name)
}
