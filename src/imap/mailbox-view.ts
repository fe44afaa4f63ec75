// What one session has told its client about the selected mailbox: message numbers, and how far he has been told of changes.
// RFC 9051 §2.3.1.2, §5.2, §7.5.1; RFC 7162.
//
// Invariants (design.md, "What MailboxView.sync must hold"):
// - The first `#count` of `#uids` are the messages the client knows, in order; nobody changes them.
// - The client knows of flag changes up to `#toldModSeq` and of expunges up to `#toldExpunges`; there is no queue between.
// - A message number never changes but by an EXPUNGE, VANISHED or EXISTS that `sync` has written.
import { type Breathe, inStretches } from '../base/breathe.ts'
import type { AccountId, ModSeq } from '../base/ids.ts'
import type { MailboxDelta, MailboxSnapshot, UidColumn } from '../store/mailbox-snapshot.ts'
import { isAmong, rangesOf, type UidRange, type UidRanges } from '../store/uid-ranges.ts'
import type { Store } from '../store/store.ts'
import { systemMask } from '../store/flags.ts'
import { AnnotationNews } from './annotation/annotation-news.ts'
import type { ConversionCache } from './convert/conversion-cache.ts'
import { allRights, type Rights } from '../store/rights.ts'
import { GuestMailbox } from '../store/snapshots/guest-mailbox.ts'
import type { Encoder } from './encoder.ts'
import { bad } from './error.ts'
import { allSystemFlags, formatFlags, permanentFlags } from './flags.ts'
import type { MailboxKey } from './mailbox-access.ts'
import type { SearchContexts } from './search/contexts.ts'
import { OwnUids } from './own-uids.ts'
import { formatMany, normalizeRanges, type SequenceSet } from './sequence-set.ts'

/** How a client wants to hear of changes. */
export interface SyncStyle {
  /** FETCH carries MODSEQ (RFC 7162 §3.1). */
  readonly modSeq: boolean
  /** VANISHED instead of EXPUNGE, and FETCH carries UID (RFC 7162 §3.2). */
  readonly vanished: boolean
  /** IMAP4rev2 has no RECENT (RFC 9051 appendix E). */
  readonly recent: boolean
  /** FETCH carries UID, also without QRESYNC (RFC 5465 §5.1). */
  readonly uid: boolean
  /** Changes of flags are told. */
  readonly flags: boolean
  /** UIDFETCH in place of FETCH: the client knows no message numbers (RFC 9586). */
  readonly uidOnly: boolean
}

/** Some of the messages that the client knows, ascending. */
export interface Selection {
  readonly count: number
  /** Message numbers. */
  readonly numbers: ArrayLike<number>
  readonly uids: ArrayLike<number>
}

/** What was changed with one modSeq. */
interface Silenced {
  /** Ascending: what shares a modSeq was asked for in that order. */
  readonly changed: UidRange[]
  /** Those of them that the client is to hear of. */
  readonly unheard: Set<number>
}

/** A result of SEARCH that is empty. */
export const noUids: Uint32Array = new Uint32Array(0)

export interface MailboxIdentity extends MailboxKey {
  /** As this session calls it. */
  readonly name: string
}

/** A snapshot to begin with, and what gives the next ones to a guest. */
export interface MailboxPicture {
  readonly snapshot: MailboxSnapshot
  readonly guest: GuestMailbox | undefined
}

/** The mailbox as `viewer` sees it. Throws `StoreError` `no-such-mailbox`. */
export async function openPicture(
  store: Store,
  mailbox: MailboxKey,
  viewer: AccountId,
  atLeast?: ModSeq,
): Promise<MailboxPicture> {
  const { account, id } = mailbox
  if (account === viewer) return { snapshot: await store.snapshot(account, id, atLeast), guest: undefined }
  const guest = new GuestMailbox(store, mailbox, viewer)
  return { snapshot: await guest.refresh(), guest }
}

export class MailboxView {
  readonly mailbox: MailboxIdentity
  readonly isReadOnly: boolean
  readonly #store: Store
  readonly #guest: GuestMailbox | undefined
  /** What the client was told that he may do. */
  #toldRights: Rights
  #snapshot: MailboxSnapshot
  /** A snapshot's, or an array of this session's own where no snapshot has them so. */
  #uids: UidColumn
  #count: number
  #toldModSeq: ModSeq
  #toldExpunges: ModSeq
  /** How far he had been told of flags when his last command was answered. */
  #settledFlags: ModSeq
  /** Messages from this UID on are recent to this session (RFC 3501 §2.3.2). */
  readonly #firstRecentUid: number
  readonly #uidNextAtSelect: number
  /** The largest UID that the client was told of, also of messages that are gone. */
  #lastUid: number
  /** Keyword sets whose names the client has seen in FLAGS, as a set of names. */
  #knownKeywords: readonly string[] = []
  /** This session's own changes that it is silent about, by their modSeqs, until the next sync. Others may have a part in one (`gather-stores.ts`). */
  #silenced: Map<number, Silenced> | undefined
  /** The result of SEARCH RETURN (SAVE), as UIDs (RFC 5182). Those of expunged messages stay: no message has them any more, so they select nothing (§2.1). */
  #saved = noUids
  /** RFC 5257 §4.4. */
  readonly annotations: AnnotationNews
  /** Parts that CONVERT has made something of (RFC 5259). */
  conversions: ConversionCache | undefined
  /** Searches with UPDATE (RFC 5267). */
  contexts: SearchContexts | undefined

  constructor(
    store: Store,
    mailbox: MailboxIdentity,
    { snapshot, guest }: MailboxPicture,
    options: {
      readonly isReadOnly: boolean
      readonly firstRecentUid: number
      /** SELECT (ANNOTATE). */
      readonly tellsAnnotations?: boolean
    },
  ) {
    this.#store = store
    this.#guest = guest
    this.#toldRights = this.rights
    this.mailbox = mailbox
    this.isReadOnly = options.isReadOnly
    this.#firstRecentUid = options.firstRecentUid
    this.annotations = new AnnotationNews(options.tellsAnnotations === true, snapshot.modSeq)
    this.#snapshot = snapshot
    this.#uids = snapshot.uids
    this.#count = snapshot.count
    this.#toldModSeq = snapshot.modSeq
    this.#toldExpunges = snapshot.modSeq
    this.#settledFlags = snapshot.modSeq
    this.#lastUid = snapshot.uidNext - 1
    this.#uidNextAtSelect = snapshot.uidNext
  }

  /** The mailbox is another account's. */
  get isGuest(): boolean {
    return this.#guest !== undefined
  }

  /** What the session may do here, as of the last `refresh`. */
  get rights(): Rights {
    return this.#guest ? this.#guest.rights : allRights
  }

  /** Whose the mailbox is, where that is another account than the session's. */
  get foreignOwner(): AccountId | undefined {
    return this.#guest && this.mailbox.account
  }

  /** Messages that the client knows of. */
  get count(): number {
    return this.#count
  }

  /** The picture of the mailbox as of the last `refresh` or `sync`; newer than what the client knows while EXPUNGE waits. */
  get snapshot(): MailboxSnapshot {
    return this.#snapshot
  }

  /** What a tagged OK may give as HIGHESTMODSEQ: the lower of the two cursors (RFC 7162 §6). */
  get toldModSeq(): ModSeq {
    return Math.min(this.#toldModSeq, this.#toldExpunges) as ModSeq
  }

  /** The UID of a message number from 1 to `count`. */
  uidOf(number: number): number {
    return this.#uids.at(number - 1)
  }

  /** The message number of a UID, or 0 when the client does not know it. */
  numberOf(uid: number): number {
    const at = this.#lowerBound(uid)
    return at < this.#count && this.#uids.at(at) === uid ? at + 1 : 0
  }

  /** The largest UID that the client was told of, also of messages that are gone. */
  get lastUid(): number {
    return this.#lastUid
  }

  isRecent(uid: number): boolean {
    return uid >= this.#firstRecentUid
  }

  /** Messages that are recent to this session. */
  get recentCount(): number {
    if (this.#firstRecentUid > this.#lastUid) return 0
    return this.#count - this.#lowerBound(this.#firstRecentUid)
  }

  /** Whether this session was told of mail that came after it claimed what was recent, so that a later one should not see it as recent. */
  get hasToldNewMail(): boolean {
    return this.#lastUid >= this.#uidNextAtSelect
  }

  /** Keywords that FLAGS must list. */
  get keywords(): readonly string[] {
    return this.#knownKeywords
  }

  // Sets of messages

  /** The messages that a set names. Message numbers beyond the last are BAD (RFC 9051 §9, seq-number), UIDs that are not there are left out (§6.4.9). */
  select(set: SequenceSet, isUid: boolean): Selection {
    if (set.kind === 'saved' || isUid) return this.#selectUids(this.uidRanges(set))
    if (this.#count === 0) throw bad('the mailbox is empty')
    const ranges = normalizeRanges(set.ranges, this.#count)
    const last = ranges[ranges.length - 1]?.[1] ?? 0
    if (last > this.#count) throw bad(`there are only ${this.#count} messages`)
    return this.#selectPositions(ranges.map(([first, last]) => [first - 1, last]))
  }

  /** Whether messages that the client was not told of yet can be among those that a set names. */
  reachesNew(set: SequenceSet, isUid: boolean): boolean {
    if (set.kind === 'saved') return false
    const last = isUid ? this.#lastUid : this.#count
    return set.ranges.some(range => Math.max(...range) > last)
  }

  #selectUids(ranges: readonly UidRange[]): Selection {
    const positions: [number, number][] = []
    for (const [first, last] of ranges) {
      const from = this.#lowerBound(first)
      const to = this.#lowerBound(last + 1)
      if (to > from) positions.push([from, to])
    }
    return this.#selectPositions(positions)
  }

  /** `[from, to)` positions. */
  #selectPositions(positions: readonly (readonly [number, number])[]): Selection {
    let count = 0
    for (const [from, to] of positions) count += to - from
    const numbers = new Uint32Array(count)
    const uids = new Uint32Array(count)
    let at = 0
    for (const [from, to] of positions) {
      this.#uids.copy(from, to, uids, at)
      for (let position = from; position < to; position++) numbers[at++] = position + 1
    }
    return { count, numbers, uids }
  }

  /** The UIDs that a set names, as ranges of those that there may be. */
  uidRanges(set: SequenceSet): UidRanges {
    if (set.kind === 'saved') return rangesOf(this.#saved)
    return normalizeRanges(set.ranges, this.#count > 0 ? this.uidOf(this.#count) : 0)
  }

  /** Whether the client knows the snapshot's messages, all of them and no others, so that a position is a message number less one. */
  get knowsSnapshot(): boolean {
    return this.#count === this.#snapshot.count && this.#uids === this.#snapshot.uids
  }

  /** Whether a set names every message that the client knows, by one range. */
  namesAll(set: SequenceSet, isUid: boolean): boolean {
    if (set.kind === 'saved' || set.ranges.length > 1 || this.#count === 0) return false
    const ranges = isUid ? this.uidRanges(set) : normalizeRanges(set.ranges, this.#count)
    const [[first, last] = [Infinity, 0]] = ranges
    return isUid
      ? first <= this.uidOf(1) && last >= this.uidOf(this.#count)
      : first === 1 && last === this.#count
  }

  /** Every message that the client knows. */
  selectAll(): Selection {
    return this.#selectPositions([[0, this.#count]])
  }

  /** Remembers the result of a SEARCH for `$`, as UIDs ascending. */
  save(uids: Uint32Array): void {
    this.#saved = uids
  }

  get saved(): Uint32Array {
    return this.#saved
  }

  // Changes

  /** Brings the snapshot up to date without telling the client anything. */
  async refresh(): Promise<MailboxSnapshot> {
    this.#snapshot = this.#guest
      ? await this.#guest.refresh()
      : await this.#store.snapshot(this.mailbox.account, this.mailbox.id)
    return this.#snapshot
  }

  /**
   * How far the client knows of flags for sure. What he was told between two commands (RFC 5465 §3.1) he may have heard behind the next one, which he then
   * takes to have been before it.
   */
  get knownFlags(): ModSeq {
    return this.#settledFlags
  }

  /** A command is being answered, and all that is new has been told. */
  settle(): void {
    this.#settledFlags = this.#toldModSeq
  }

  /**
   * Marks changes of this session that its client asked not to hear of (STORE .SILENT), or hears of by their own answer. Not those of messages that
   * another has changed before, unheard: what their flags are now the client can't know (RFC 9051 §6.4.6).
   */
  silence(
    modSeq: ModSeq,
    changed: UidRanges,
    surprising: readonly { readonly uid: number; readonly modSeq: ModSeq }[] = [],
  ): void {
    const unheard = surprising.filter(({ uid, modSeq: before }) => !this.#isSilenced(uid, before))
    this.#silenced ??= new Map()
    const known = this.#silenced.get(modSeq)
    if (!known)
      this.#silenced.set(modSeq, { changed: [...changed], unheard: new Set(unheard.map(({ uid }) => uid)) })
    else {
      for (const range of changed) known.changed.push(range)
      for (const { uid } of unheard) known.unheard.add(uid)
    }
  }

  /** A message that has a modSeq was changed by what took it, and by nothing since. */
  #isSilenced(uid: number, modSeq: number): boolean {
    const silenced = this.#silenced?.get(modSeq)
    return silenced !== undefined && isAmong(silenced.changed, uid) && !silenced.unheard.has(uid)
  }

  /**
   * Tells the client what has changed: expunges first (unless they must wait), then new messages, then flags (RFC 9051 §7.5.1).
   * While it breathes the snapshot may become another; what is told is that of the beginning.
   * Throws `StoreError` `no-such-mailbox` when the mailbox is gone.
   */
  async sync(out: Encoder, style: SyncStyle, mayExpunge: boolean, breathe: Breathe): Promise<void> {
    const snapshot = await this.refresh()
    if (snapshot.modSeq === this.#toldModSeq && snapshot.modSeq === this.#toldExpunges) return
    const breath = breathe()
    if (breath !== undefined) await breath
    const changes = snapshot.changesAfter(this.toldModSeq)
    const delta = changes instanceof Promise ? await changes : changes
    await this.contexts?.tellGone(delta, snapshot, out)
    await this.#tellExpunges(delta, snapshot, out, style, mayExpunge, breathe)
    const knownUid = this.#lastUid
    this.#tellNew(snapshot, out, style)
    if (style.flags) await this.#tellFlags(delta, snapshot, knownUid, out, style, breathe)
    this.#toldModSeq = snapshot.modSeq
    this.#silenced = undefined
    await this.contexts?.tellChanged(snapshot, out)
  }

  /** The flags that the session may change, if they have become others since the client was told (RFC 4314 §5.1.1). */
  takeNewPermanentFlags(): string | undefined {
    if (this.#toldRights === this.rights) return undefined
    const before = permanentFlags(this.#toldRights, this.keywords)
    this.#toldRights = this.rights
    const now = permanentFlags(this.rights, this.keywords)
    return this.isReadOnly || now === before ? undefined : now
  }

  async #tellExpunges(
    delta: MailboxDelta,
    snapshot: MailboxSnapshot,
    out: Encoder,
    style: SyncStyle,
    mayExpunge: boolean,
    breathe: Breathe,
  ): Promise<void> {
    const gone = await (delta.isComplete
      ? this.#knownAmong(delta, breathe)
      : this.#missing(snapshot, breathe))
    if (gone.length > 0) {
      if (!mayExpunge) return
      if (style.vanished) {
        const uids = gone.map(number => this.uidOf(number))
        out.line(`* VANISHED ${await formatMany(uids, breathe)}`)
      } else
        await inStretches(gone.length, breathe, (from, to) => {
          // In descending order the numbers of those still to come stay as they are.
          for (let at = from; at < to; at++)
            out
              .ascii('* ')
              .number(gone[gone.length - 1 - at] as number)
              .ascii(' EXPUNGE')
              .crlf()
        })
      // What is left is in the snapshot, before all that the client has not been told of.
      this.#uids = snapshot.uids
      this.#count -= gone.length
    }
    this.#toldExpunges = delta.modSeq
  }

  /** The numbers of messages of the client that were expunged since he last heard of expunges, ascending. */
  async #knownAmong({ vanished }: MailboxDelta, breathe: Breathe): Promise<number[]> {
    const gone: number[] = []
    await inStretches(vanished.length, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const { uid, modSeq } = vanished[at] as MailboxDelta['vanished'][number]
        const number = modSeq > this.#toldExpunges ? this.numberOf(uid) : 0
        if (number > 0) gone.push(number)
      }
    })
    return gone
  }

  /** The same where the store has forgotten some of the expunges: what the client knows and the mailbox lacks. */
  async #missing(snapshot: MailboxSnapshot, breathe: Breathe): Promise<number[]> {
    const gone: number[] = []
    const known = this.#uids
    await inStretches(this.#count, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const uid = known.at(at)
        if (snapshot.positionOf(uid) < 0) gone.push(at + 1)
      }
    })
    return gone
  }

  #tellNew(snapshot: MailboxSnapshot, out: Encoder, style: SyncStyle): void {
    const from = snapshot.lowerBound(this.#lastUid + 1)
    const added = snapshot.count - from
    this.#lastUid = snapshot.uidNext - 1
    if (added > 0) {
      const count = this.#count + added
      if (snapshot.count !== count) {
        // Expunges are held back, so the client's numbers are not the snapshot's.
        const uids = new Uint32Array(count)
        this.#uids.copy(0, this.#count, uids)
        snapshot.uids.copy(from, snapshot.count, uids, this.#count)
        this.#uids = new OwnUids(uids)
      }
      this.#count = count
    }
    // Nothing is held back: the snapshot's UIDs are the client's, and serve all sessions.
    if (snapshot.count === this.#count) this.#uids = snapshot.uids
    if (added === 0) return
    out.line(`* ${this.#count} EXISTS`)
    if (style.recent) out.line(`* ${this.recentCount} RECENT`)
  }

  async #tellFlags(
    { changed }: MailboxDelta,
    { flags, modSeq: upTo, modSeqs, uids }: MailboxSnapshot,
    knownUid: number,
    out: Encoder,
    style: SyncStyle,
    breathe: Breathe,
  ): Promise<void> {
    await inStretches(changed.length, breathe, (from, to) => {
      for (let at = from; at < to; at++) {
        const position = changed[at] as number
        const uid = uids.at(position)
        const modSeq = modSeqs.at(position)
        // What has changed again since is told next time, as then this client's state is not below what he is told (RFC 7162 §6).
        if (modSeq > upTo) continue
        if (uid > knownUid || modSeq <= this.#toldModSeq || this.#isSilenced(uid, modSeq)) continue
        const number = this.numberOf(uid)
        if (number > 0) this.tellFlagsOf(number, uid, flags.at(position), modSeq, out, style)
      }
    })
  }

  /** Writes one message's FLAGS, with what `style` adds, after FLAGS for keywords that are new to the client. */
  tellFlagsOf(
    number: number,
    uid: number,
    flags: number,
    modSeq: number,
    out: Encoder,
    style: SyncStyle,
    withUid = false,
  ): void {
    this.announceKeywords(flags, out)
    const names = formatFlags(
      flags & systemMask,
      this.#snapshot.keywordsOf(flags),
      style.recent && this.isRecent(uid),
    )
    out.byte(0x2a).byte(0x20)
    if (style.uidOnly) out.number(uid).ascii(' UIDFETCH (')
    else {
      out.number(number).ascii(' FETCH (')
      if (style.vanished || style.uid || withUid) out.ascii('UID ').number(uid).byte(0x20)
    }
    out.ascii('FLAGS (').ascii(names).byte(0x29)
    if (style.modSeq) out.ascii(' MODSEQ (').number(modSeq).byte(0x29)
    out.byte(0x29).crlf()
  }

  /** Writes FLAGS when `flags` hold a keyword that the client has not seen in it yet. */
  announceKeywords(flags: number, out: Encoder): void {
    if (this.knowKeywords(this.#snapshot.keywordsOf(flags)))
      out.line(`* FLAGS (${[allSystemFlags, ...this.#knownKeywords].join(' ')})`)
  }

  /** Takes note of keywords that FLAGS lists; whether one of them is new. */
  knowKeywords(keywords: readonly string[]): boolean {
    const fresh = keywords.filter(keyword => !this.#knownKeywords.includes(keyword))
    if (fresh.length > 0) this.#knownKeywords = [...this.#knownKeywords, ...fresh]
    return fresh.length > 0
  }

  /** The position (from 0) of the first known UID that is not below `uid`. */
  #lowerBound(uid: number): number {
    return this.#uids.lowerBound(uid, this.#count)
  }
}
