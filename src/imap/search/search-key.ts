// What a SEARCH key is: a row of the key table, and the criteria that are made of keys. RFC 9051 §6.4.4.
import type { ParseContext } from '../command.ts'
import type { NumberColumn } from '../../store/read/email-columns.ts'
import type { FuzzyQuery, IndexQuery } from '../../store/search/search-index.ts'
import type { EmailColumn } from '../fetch/email-rows.ts'
import type { Parser } from '../input/parser.ts'
import type { Session } from '../session.ts'
import type { MessageContent } from './message-content.ts'
import type { SearchScope } from './search-scope.ts'

/** What a key must read, from the cheapest on: keys of a class are looked at only for messages that the classes before have not decided. */
export const costs = ['snapshot', 'column', 'row', 'header', 'text'] as const
export type Cost = (typeof costs)[number]

/** Whether the message at `index` of the scope matches. Only keys of cost `row`, `header` and `text` look at `content`, which is read as far. */
export type KeyTest = (index: number, content: MessageContent) => boolean

/** Answers for all messages of a scope at once: `yes` or `no` in each place of `answers`. */
export type KeyMask = (scope: SearchScope, answers: Uint8Array, from: number, to: number) => void

/** One key with its argument. */
export interface SearchKey {
  readonly kind: 'key'
  readonly cost: Cost
  /** For keys of cost `column`: what they compare, which is in the scope's `columns` when they are bound. */
  readonly compares?: readonly NumberColumn[]
  /** For keys that read the row or the message: what of the email's row they need to do so. */
  readonly columns?: readonly EmailColumn[]
  /** For keys that read the message: the index may answer in their place. */
  readonly lookup?: IndexQuery
  /** Speaks of message numbers (RFC 7162 §3.2.10.2). */
  readonly usesNumbers?: boolean
  /** For keys that name a set of messages, so that no others need be looked at (RFC 9738 §3.1): the same test, which asks for no content. */
  narrow?(scope: SearchScope): (index: number) => boolean
  /** What it names is settled when the command is given, also for UPDATE (RFC 5267 §4.3). A snapshot key. */
  readonly isMomentary?: boolean
  /** Speaks of modSeqs, so that the answer does (RFC 7162 §3.1.5). */
  readonly usesModSeq?: boolean
  /** For keys of cost `text`: what to look for. */
  readonly needle?: TextNeedle
  /** For keys that need more than rows and text: reads it, and gives the key to ask instead. */
  load?(session: Session, scope: SearchScope): Promise<SearchKey>
  /** It stands in a FUZZY (RFC 6203). */
  readonly isFuzzy?: boolean
  /** For keys about text: the key in its place in a FUZZY; undefined where it has no words. */
  readonly fuzzy?: () => FuzzyKey | undefined
  bind(scope: SearchScope): KeyTest
  /** For keys that many ask of large mailboxes: the same test in one loop, which takes a fraction of as many calls. */
  readonly mask?: KeyMask
}

/** Finds text that comes near some words, and tells how near. */
export interface FuzzyKey extends SearchKey {
  readonly lookup: FuzzyQuery
  /** The same key, which tells `record` of each message that it is asked about how near it comes, from 0 to 1. */
  recording(record: (index: number, score: number) => void): SearchKey
}

/** Text that a message's decoded text may hold. */
export interface TextNeedle {
  /** Folded by the session's comparator. */
  readonly text: string
  /** Look in all headers too (TEXT), not only in the text of parts (BODY). */
  readonly inHeaders: boolean
  /** Words that are looked for in the place of `text`: what comes near them is found too (RFC 6203). */
  readonly words?: readonly string[]
  /** How near they come is wanted, so that the whole message is looked through. */
  readonly isThorough?: boolean
}

export type CriterionOf<Leaf> =
  | Leaf
  | { readonly kind: 'and' | 'or'; readonly of: readonly CriterionOf<Leaf>[] }
  | { readonly kind: 'not'; readonly of: CriterionOf<Leaf> }

export type Criterion = CriterionOf<SearchKey>

/** A stored search, by name (RFC 5466). */
export interface FilterReference {
  readonly kind: 'filter'
  readonly name: string
  /** It stands in a FUZZY (RFC 6203). */
  readonly isFuzzy?: boolean
}

/** A criterion as it was written: filters in it are still names. */
export type WrittenCriterion = CriterionOf<SearchKey | FilterReference>

/** How the strings of a command are read. */
export interface SearchContext extends ParseContext {
  /** The string of bytes in the command's charset. Throws BAD. */
  decode(bytes: Buffer): string
  /** Reads another key: for keys that are made of keys. */
  parseKey(): WrittenCriterion
  /** Reads `key *(SP key)` in UTF-8 that stands for what the client wrote: its keys count as if he had. Throws BAD. */
  parseWithin(text: string): WrittenCriterion
  /** Counts a key that was made without either. Throws BAD where they are too many. */
  countKey(): void
}

/** A row of the table. */
export interface SearchKeyDefinition {
  /** In upper case. */
  readonly name: string
  /** Reads what follows the name. Throws BAD. */
  parse(parser: Parser, context: SearchContext): WrittenCriterion
}
