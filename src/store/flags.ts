// Message flags as the store keeps them: one integer. Bits 0 to 4 are the system flags, bits 8 and up the number
// of a set of keywords (`keyword_set`), 0 for none. RFC 9051 §2.3.2.

export const systemFlags = {
  '\\Seen': 1,
  '\\Answered': 2,
  '\\Flagged': 4,
  '\\Deleted': 8,
  '\\Draft': 16,
} as const

export const seen = 1
export const answered = 2
export const flagged = 4
export const deleted = 8
export const draft = 16

/** The bits that hold system flags. */
export const systemMask = 0xff
/** How far the keyword set's number is shifted. */
export const keywordShift = 8

/** A change that does not depend on what the flags were: bits that go, then bits that come. */
export interface FlagMask {
  readonly clears: number
  readonly adds: number
}

export function applyMask(flags: number, { clears, adds }: FlagMask): number {
  return ((flags & ~clears) | adds) >>> 0
}

/** Flags as they travel: system bits, and keywords by name (compared without regard to case, kept as first spelt). */
export interface FlagSet {
  readonly system: number
  readonly keywords: readonly string[]
}

export const noFlags: FlagSet = { system: 0, keywords: [] }
