// Searches that are stored under a name, as the server's annotations. RFC 5466.
import type { Awaitable } from '../../base/awaitable.ts'
import { limits } from '../../base/limits.ts'
import { findAnnotation } from '../../store/read/annotations.ts'
import type { ParseContext } from '../command.ts'
import { bad, ImapError, no } from '../error.ts'
import { splitLiterals } from '../input/command-input.ts'
import { Parser } from '../input/parser.ts'
import { isAtom } from '../input/syntax.ts'
import { serverAccount } from '../metadata.ts'
import { toFuzzy } from './keys/fuzzy.ts'
import { parseCriteria, someLeaf } from './keys.ts'
import type { Criterion, FilterReference, SearchKey, WrittenCriterion } from './search-key.ts'
import { decodeString } from './strings.ts'

const root = '/filters/values/'

/** Throws NO unless `value` may stand in that entry of the server: the values of filters are whole searches (RFC 5466 §3.2). */
export function checkFilter(entry: string, value: Uint8Array | null, context: ParseContext): void {
  const name = /^\/(?:private|shared)\/filters\/values\/(.*)$/is.exec(entry)?.[1]
  if (name === undefined || value === null) return
  // RFC 5466 §4, filter-name.
  if (!isAtom(name) || name.includes('/')) throw no('CANNOT', 'That is no name for a filter')
  parseFilter(name, value, context)
}

/** The criterion with its filters put in; each stands for all of its keys together. Throws NO. */
export function resolveFilters(criterion: WrittenCriterion, context: ParseContext): Awaitable<Criterion> {
  if (isResolved(criterion)) return criterion
  return new Resolution(context).resolve(criterion)
}

function isResolved(criterion: WrittenCriterion): criterion is Criterion {
  return !someLeaf(criterion, ({ kind }) => kind === 'filter')
}

/** One search's filters: each is read once, however often it is named. */
class Resolution {
  readonly #context: ParseContext
  readonly #known = new Map<string, Criterion>()
  /** Those that are being put in, from the outside in. */
  readonly #within: string[] = []
  #keys = 0

  constructor(context: ParseContext) {
    this.#context = context
  }

  async resolve(criterion: WrittenCriterion): Promise<Criterion> {
    switch (criterion.kind) {
      case 'key':
        return this.#count(criterion)
      case 'filter':
        return criterion.isFuzzy === true ? toFuzzy(await this.#filter(criterion)) : this.#filter(criterion)
      case 'not':
        return { kind: 'not', of: await this.resolve(criterion.of) }
      default: {
        const of: Criterion[] = []
        for (const one of criterion.of) of.push(await this.resolve(one))
        return { kind: criterion.kind, of }
      }
    }
  }

  #count(key: SearchKey): SearchKey {
    // A filter of filters of filters grows with each.
    if (++this.#keys > limits.imap.searchKeys) throw bad('that are too many keys for one SEARCH', 'TOOBIG')
    return key
  }

  async #filter({ name }: FilterReference): Promise<Criterion> {
    const folded = name.toLowerCase()
    const known = this.#known.get(folded)
    if (known) return this.#again(known)
    // RFC 5466 §3.1: a loop, or filters that lie too deep, are as if they were not there.
    if (this.#within.includes(folded) || this.#within.length >= limits.imap.filterDepth)
      throw undefinedFilter(name)
    const value = await this.#find(name)
    if (!value) throw undefinedFilter(name)
    this.#within.push(folded)
    const criterion = await this.resolve(parseFilter(name, value, this.#context))
    this.#within.pop()
    this.#known.set(folded, criterion)
    return criterion
  }

  #again(criterion: Criterion): Criterion {
    someLeaf(criterion, key => {
      this.#count(key)
      return false
    })
    return criterion
  }

  /** The client's own filter, else that which all share (RFC 5466 §3.1). */
  async #find(name: string): Promise<Uint8Array | undefined> {
    const { account, store } = this.#context.session
    return (
      (await findAnnotation(store.reader, account, `/private${root}${name}`)) ??
      (await findAnnotation(store.reader, serverAccount, `/shared${root}${name}`))
    )
  }
}

function undefinedFilter(name: string): ImapError {
  return no(`UNDEFINED-FILTER ${name}`, 'There is no such filter')
}

/** A stored criterion, UTF-8 and with literals where it has some. Throws NO for what is no whole search. */
function parseFilter(name: string, value: Uint8Array, context: ParseContext): WrittenCriterion {
  try {
    const input = splitLiterals(Buffer.from(value))
    if (!input) throw bad('a literal is cut off')
    const parser = new Parser(input)
    const criterion = parseCriteria(parser, {
      ...context,
      decode: bytes => decodeString(bytes, undefined, true),
    })
    parser.end()
    return criterion
  } catch (error) {
    if (!(error instanceof ImapError)) throw error
    throw no('CANNOT', `The filter ${name} is no whole search`)
  }
}
