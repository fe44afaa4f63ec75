// What somebody may do in a mailbox, as bits. RFC 4314 §2.1; RFC 5257 §3.4.

/** Bits of `rightBits`. */
export type Rights = number

export const rightBits = {
  /** Lookup: the mailbox is listed. */
  l: 1,
  /** Read. */
  r: 2,
  /** Change \Seen. */
  s: 4,
  /** Change other flags, but \Deleted. */
  w: 8,
  /** Insert: APPEND, COPY. */
  i: 16,
  /** Post to its address; not for IMAP. */
  p: 32,
  /** Make mailboxes below. */
  k: 64,
  /** Delete or rename the mailbox. */
  x: 128,
  /** Change \Deleted. */
  t: 256,
  /** Expunge. */
  e: 512,
  /** Change annotations of messages that all see (RFC 5257 §3.4). */
  n: 1024,
  /** Administer these rights. */
  a: 2048,
} as const

export const allRights: Rights = 4095

const letters = Object.entries(rightBits)
/** RFC 4314 §2.1.1: what the two rights of RFC 2086 stand for. */
const virtual: readonly (readonly [letter: string, members: Rights])[] = [
  ['c', rightBits.k | rightBits.x],
  ['d', rightBits.t | rightBits.e],
]

/** The rights that letters name, `c` and `d` among them; undefined when one of them is no right. */
export function parseRights(text: string): Rights | undefined {
  let rights = 0
  for (const letter of text) {
    const bits = letters.find(([known]) => known === letter) ?? virtual.find(([known]) => known === letter)
    if (!bits) return undefined
    rights |= bits[1]
  }
  return rights
}

/** As ACL and MYRIGHTS show them: with `c` and `d` where a member of them is there (RFC 4314 §2.1.1). */
export function formatRights(rights: Rights): string {
  let text = ''
  for (const [letter, bit] of letters) if (rights & bit) text += letter
  for (const [letter, members] of virtual) if (rights & members) text += letter
  return text
}

/** The bits of letters that the program names itself. */
export function rightsOf(text: string): Rights {
  const rights = parseRights(text)
  if (rights === undefined) throw new RangeError(`"${text}" is no set of rights`)
  return rights
}

/** One entry of an ACL that speaks of somebody: himself or anyone, given or taken away. */
export interface AppliedEntry {
  readonly isNegative: boolean
  readonly rights: Rights
}

/** All that is given, without what is taken away, whoever it is given to or taken from (RFC 4314 §2). */
export function combineRights(entries: Iterable<AppliedEntry>): Rights {
  let given = 0
  let taken = 0
  for (const { isNegative, rights } of entries) {
    if (isNegative) taken |= rights
    else given |= rights
  }
  return given & ~taken
}
