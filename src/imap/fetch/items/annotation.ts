// ANNOTATION. RFC 5257 §4.3, §4.4.
import { listMessageAnnotations } from '../../../store/read/message-annotations.ts'
import { parseEntryPattern } from '../../annotation/annotation-list.ts'
import type { ParseContext } from '../../command.ts'
import type { Encoder } from '../../encoder.ts'
import { bad } from '../../error.ts'
import type { Parser } from '../../input/parser.ts'
import { compilePattern } from '../../list-pattern.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'

/** `value.priv` and so on, in the order of the answer. */
interface Attribute {
  readonly name: string
  readonly isSize: boolean
  readonly isShared: boolean
}

/** The private and the shared value of one entry. */
interface Values {
  priv: Uint8Array | null
  shared: Uint8Array | null
}

export const annotation: FetchItemDefinition = {
  name: 'ANNOTATION',
  parse(parser, context) {
    parser.sp()
    parser.expect('(')
    const patterns = oneOrMore(parser, () => parseEntryPattern(parser))
    parser.sp()
    const attributes = oneOrMore(parser, () => parseAttribute(parser)).flat()
    parser.expect(')')
    return makeItem(context, patterns, attributes)
  },
}

function oneOrMore<T>(parser: Parser, one: () => T): readonly T[] {
  if (!parser.isListNext) return [one()]
  const several = parser.list(one)
  if (several.length === 0) throw bad('a list is empty')
  return several
}

/** Without a suffix it is both (§3.2.2). */
function parseAttribute(parser: Parser): readonly Attribute[] {
  const name = parser.astring().toLowerCase()
  const match = /^(value|size)(?:\.(priv|shared))?$/.exec(name)
  if (!match) throw bad('annotations have the attributes value and size')
  const [, base = '', suffix] = match
  return ['priv', 'shared']
    .filter(scope => suffix === undefined || scope === suffix)
    .map(scope => ({ name: `${base}.${scope}`, isSize: base === 'size', isShared: scope === 'shared' }))
}

function makeItem(
  { session }: ParseContext,
  patterns: readonly string[],
  attributes: readonly Attribute[],
): FetchItem {
  // Entries that are named by themselves are told of although they are not there (§3.2.2).
  const named = patterns.filter(pattern => !/[*%]/.test(pattern))
  const fits = compilePattern(patterns)
  let known: ReadonlyMap<number, ReadonlyMap<string, Values>> = new Map()
  return {
    label: `ANNOTATION (${patterns.join(' ')}) (${attributes.map(({ name }) => name).join(' ')})`,
    async prepare(uids) {
      const { view, store, account } = session
      const range = [uids[0] ?? 0, uids[uids.length - 1] ?? 0] as const
      const { account: owner, id } = view.mailbox
      const found = await listMessageAnnotations(store.reader, owner, id, account, range)
      const messages = new Map<number, Map<string, Values>>()
      for (const one of found) {
        if (!fits(one.entry)) continue
        const entries = messages.get(one.uid) ?? new Map<string, Values>()
        messages.set(one.uid, entries)
        const values = entries.get(one.entry) ?? { priv: null, shared: null }
        entries.set(one.entry, values)
        values[one.owner === 0 ? 'shared' : 'priv'] = one.value
      }
      known = messages
    },
    write(message, out) {
      const entries = new Map<string, Values>()
      for (const name of named) entries.set(name, { priv: null, shared: null })
      for (const [name, values] of known.get(message.uid) ?? [])
        if (entries.has(name) || attributes.some(({ isShared }) => valueOf(values, isShared) !== null))
          entries.set(name, values)
      writeEntries(out, entries, attributes)
    },
  }
}

function valueOf({ priv, shared }: Values, isShared: boolean): Uint8Array | null {
  return isShared ? shared : priv
}

function writeEntries(
  out: Encoder,
  entries: ReadonlyMap<string, Values>,
  attributes: readonly Attribute[],
): void {
  out.ascii('ANNOTATION (')
  let isFirst = true
  for (const [entry, values] of entries) {
    if (!isFirst) out.byte(0x20)
    isFirst = false
    out.astring(entry).ascii(' (')
    for (const [at, { name, isSize, isShared }] of attributes.entries()) {
      if (at > 0) out.byte(0x20)
      const value = valueOf(values, isShared)
      out.ascii(`${name} `)
      if (isSize) out.string(String(value?.length ?? 0))
      else if (value?.includes(0)) out.literal(value, true)
      else out.nstring(value)
    }
    out.byte(0x29)
  }
  out.byte(0x29)
}
