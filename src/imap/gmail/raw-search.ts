// X-GM-RAW: Gmail's way to write a search, as SEARCH keys. X-GM-EXT-1; https://support.google.com/mail/answer/7190, from knowledge of them.
//
// `a b` is both, `a OR b` and `{a b}` one of them (OR binds closer), `-a` not, `(…)` groups, `subject:(a b)` and `from:{a b}` spread over a group.
import { limits } from '../../base/limits.ts'
import { bad } from '../error.ts'
import type { SearchContext, WrittenCriterion } from '../search/search-key.ts'
import { attachmentKey, fileNameKey } from './attachment-keys.ts'
import { flagLabelKey, placeKey } from './label-key.ts'
import { flagLabels, labelOf, starred, important, muted } from './labels.ts'
import { parseAge, parseMoment, parseSize } from './raw-values.ts'
import { receivedKey } from '../search/keys/dates.ts'

/** What an operator makes of one value. */
type Operator = (value: string, context: SearchContext) => WrittenCriterion

const anything = (context: SearchContext) => context.parseWithin('ALL')

const operators = new Map<string, Operator>([
  ['from', addressOperator('FROM')],
  ['to', addressOperator('TO')],
  ['cc', addressOperator('CC')],
  ['bcc', addressOperator('BCC')],
  ['deliveredto', addressOperator('HEADER Delivered-To')],
  ['subject', textOperator('SUBJECT')],
  ['list', textOperator('HEADER List-Id')],
  ['rfc822msgid', textOperator('HEADER Message-ID')],
  ['label', labelOperator],
  ['in', inOperator],
  ['is', isOperator],
  ['has', hasOperator],
  ['filename', fileNameOperator],
  ['after', momentOperator(first => ({ first, last: Infinity }))],
  ['newer', momentOperator(first => ({ first, last: Infinity }))],
  ['before', momentOperator(last => ({ first: -Infinity, last }))],
  ['older', momentOperator(last => ({ first: -Infinity, last }))],
  ['newer_than', ageOperator(first => ({ first, last: Infinity }))],
  ['older_than', ageOperator(last => ({ first: -Infinity, last }))],
  ['larger', sizeOperator('LARGER', 0)],
  ['larger_than', sizeOperator('LARGER', 0)],
  // Gmail: "larger than or equal".
  ['size', sizeOperator('LARGER', -1)],
  ['smaller', sizeOperator('SMALLER', 0)],
  ['smaller_than', sizeOperator('SMALLER', 0)],
])

/** Those of Gmail that speak of what is not here. */
const foreignOperators: ReadonlySet<string> = new Set(['category', 'circle', 'chat'])

/** The criterion that a query means; all messages for an empty one. Throws BAD. */
export function parseRawSearch(query: string, context: SearchContext): WrittenCriterion {
  const reader = new QueryReader(query, context)
  const criterion = reader.all(textOperator('TEXT'))
  reader.end()
  return criterion
}

class QueryReader {
  readonly #query: string
  readonly #context: SearchContext
  #at = 0
  #depth = 0

  constructor(query: string, context: SearchContext) {
    this.#query = query
    this.#context = context
  }

  /** Terms up to a bracket or the end: all of them. */
  all(operator: Operator): WrittenCriterion {
    const of: WrittenCriterion[] = []
    for (;;) {
      if (of.length > 0) this.#takeWord('AND')
      if (this.#isAtEnd) break
      of.push(this.#oneOf(operator))
    }
    const [first, ...more] = of
    if (!first) return anything(this.#context)
    return more.length === 0 ? first : { kind: 'and', of }
  }

  end(): void {
    if (this.#skipSpace() !== '') throw bad('a bracket of X-GM-RAW has no beginning')
  }

  /** `a OR b OR c`. */
  #oneOf(operator: Operator): WrittenCriterion {
    const first = this.#term(operator)
    const of = [first]
    while (this.#takeWord('OR')) {
      if (this.#isAtEnd) throw bad('OR of X-GM-RAW stands between two terms')
      of.push(this.#term(operator))
    }
    return of.length === 1 ? first : { kind: 'or', of }
  }

  #term(operator: Operator): WrittenCriterion {
    switch (this.#skipSpace()) {
      case '-': {
        this.#at++
        if (/^(?:\s|$)/.test(this.#query.slice(this.#at, this.#at + 1)))
          throw bad('"-" of X-GM-RAW stands before a term')
        return { kind: 'not', of: this.#deeper(() => this.#term(operator)) }
      }
      case '+':
        // Exactly this word, and SEARCH knows no other.
        this.#at++
        return this.#deeper(() => this.#term(operator))
      case '(':
        this.#at++
        return this.#deeper(() => this.#closed(')', () => this.all(operator)))
      case '{':
        this.#at++
        return this.#deeper(() => this.#closed('}', () => this.#any(operator)))
      case '"':
        return this.#make(operator, this.#quoted())
      default:
        return this.#word(operator)
    }
  }

  /** Terms up to a bracket: any of them. */
  #any(operator: Operator): WrittenCriterion {
    const of: WrittenCriterion[] = []
    while (!this.#isAtEnd) of.push(this.#oneOf(operator))
    if (of.length === 0) throw bad('a bracket of X-GM-RAW is empty')
    return { kind: 'or', of }
  }

  #word(operator: Operator): WrittenCriterion {
    const word = this.#run(/[^\s(){}"]*/y)
    const colon = word.indexOf(':')
    const name = word.slice(0, Math.max(0, colon)).toLowerCase()
    if (foreignOperators.has(name)) throw bad(`X-GM-RAW has no ${name}: here`)
    const named = operators.get(name)
    if (!named) return this.#plain(operator, word)
    const value = word.slice(colon + 1)
    if (value !== '') return this.#make(named, value)
    // `subject:"a b"`, `subject:(a b)`, `from:{a b}`.
    const next = this.#query.charAt(this.#at)
    if (next !== '"' && next !== '(' && next !== '{') throw bad(`${name}: of X-GM-RAW has no value`)
    return this.#deeper(() => this.#term(named))
  }

  #plain(operator: Operator, word: string): WrittenCriterion {
    if (word === 'AROUND') throw bad('X-GM-RAW has no AROUND here: words are found wherever they stand')
    if (word === 'OR' || word === 'AND') throw bad(`${word} of X-GM-RAW stands between two terms`)
    if (word === '') throw bad("X-GM-RAW can't be read")
    return this.#make(operator, word)
  }

  #make(operator: Operator, value: string): WrittenCriterion {
    this.#context.countKey()
    return operator(value, this.#context)
  }

  /** A phrase; one without an end goes to the end, as Gmail has it. */
  #quoted(): string {
    const start = this.#at + 1
    const end = this.#query.indexOf('"', start)
    this.#at = end < 0 ? this.#query.length : end + 1
    return this.#query.slice(start, end < 0 ? undefined : end)
  }

  #closed(bracket: string, inner: () => WrittenCriterion): WrittenCriterion {
    const criterion = inner()
    if (this.#skipSpace() !== bracket) throw bad('a bracket of X-GM-RAW has no end')
    this.#at++
    return criterion
  }

  #deeper(inner: () => WrittenCriterion): WrittenCriterion {
    if (++this.#depth > limits.imap.depth) throw bad('nested too deeply')
    const criterion = inner()
    this.#depth--
    return criterion
  }

  #takeWord(word: string): boolean {
    this.#skipSpace()
    if (!this.#query.startsWith(word, this.#at)) return false
    const next = this.#query.charAt(this.#at + word.length)
    if (next !== '' && !/[\s(){}"]/.test(next)) return false
    this.#at += word.length
    return true
  }

  get #isAtEnd(): boolean {
    const next = this.#skipSpace()
    return next === '' || next === ')' || next === '}'
  }

  /** The next character that is no space; it stays. */
  #skipSpace(): string {
    this.#run(/\s*/y)
    return this.#query.charAt(this.#at)
  }

  #run(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const [text] = pattern.exec(this.#query) as RegExpExecArray
    this.#at += text.length
    return text
  }
}

// Operators

/** `key "value"`. */
function textOperator(key: string): Operator {
  return (value, context) => context.parseWithin(`${key} ${quoted(value)}`)
}

function addressOperator(key: string): Operator {
  const text = textOperator(key)
  return (value, context) =>
    text(value.toLowerCase() === 'me' ? context.session.identity.address : value, context)
}

function quoted(value: string): string {
  if (/[\0\r\n]/.test(value)) throw bad('X-GM-RAW holds no line ends')
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Labels are written with "-" for what separates words and levels. */
function labelOperator(value: string, { session }: SearchContext): WrittenCriterion {
  const wanted = hyphenated(value.replace(/^\^/, ''))
  const flag = flagLabels.find(({ name }) => name.slice(1).toLowerCase() === wanted)
  const place = placeKey(session, one => {
    const label = labelOf(one)
    const name = label.kind === 'use' ? label.name.slice(1) : label.name
    return hyphenated(name) === wanted || hyphenated(one.name) === wanted
  })
  return flag ? { kind: 'or', of: [flagLabelKey(flag), place] } : place
}

function hyphenated(name: string): string {
  return name.toLowerCase().replace(/[\s/&]/g, '-')
}

/** Words for places that are no labels, as SEARCH keys or labels. */
const wordsForIn = new Map<string, string>([
  ['drafts', 'draft'],
  ['junk', 'spam'],
  ['bin', 'trash'],
])

function inOperator(value: string, context: SearchContext): WrittenCriterion {
  const word = value.toLowerCase()
  if (word === 'anywhere' || word === 'all') return anything(context)
  if (word === 'unread' || word === 'read') return isOperator(word, context)
  return labelOperator(wordsForIn.get(word) ?? value, context)
}

function isOperator(value: string, context: SearchContext): WrittenCriterion {
  switch (value.toLowerCase()) {
    case 'unread':
      return context.parseWithin('UNSEEN')
    case 'read':
      return context.parseWithin('SEEN')
    case 'starred':
      return flagLabelKey(starred)
    case 'important':
      return flagLabelKey(important)
    case 'muted':
      return flagLabelKey(muted)
    default:
      throw bad('X-GM-RAW knows is:unread, read, starred, important and muted')
  }
}

function hasOperator(value: string, { session }: SearchContext): WrittenCriterion {
  const word = value.toLowerCase()
  switch (word) {
    case 'attachment':
      return attachmentKey
    case 'userlabels':
    case 'nouserlabels': {
      const labelled = placeKey(session, place => labelOf(place).kind === 'name')
      return word === 'userlabels' ? labelled : { kind: 'not', of: labelled }
    }
    default:
      throw bad('X-GM-RAW knows has:attachment, userlabels and nouserlabels')
  }
}

function fileNameOperator(value: string, { session }: SearchContext): WrittenCriterion {
  return fileNameKey(session.comparator.fold(value), session.comparator)
}

interface Interval {
  readonly first: number
  readonly last: number
}

function momentOperator(interval: (momentMs: number) => Interval): Operator {
  return value => {
    const moment = parseMoment(value)
    return receivedKey(() => interval(moment))
  }
}

function ageOperator(interval: (momentMs: number) => Interval): Operator {
  return value => {
    const age = parseAge(value)
    return receivedKey(nowMs => interval(age(nowMs)))
  }
}

function sizeOperator(key: 'LARGER' | 'SMALLER', shift: number): Operator {
  return (value, context) => context.parseWithin(`${key} ${Math.max(0, parseSize(value) + shift)}`)
}
