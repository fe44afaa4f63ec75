// What CONVERT is asked for. RFC 5259 §6, §10 (convert-att, convert-params).
import { bad } from '../error.ts'
import {
  formatSection,
  parseBinarySection,
  parsePartial,
  type Partial,
  parseSection,
  type SectionName,
} from '../fetch/section-name.ts'
import type { Parser } from '../input/parser.ts'
import type { ConversionWish } from './convert-part.ts'

export type ConvertItem =
  | {
      readonly kind: 'BINARY' | 'BINARY.SIZE' | 'BODYPARTSTRUCTURE' | 'AVAILABLECONVERSIONS'
      readonly path: readonly number[]
      readonly label: string
      readonly partial: Partial | undefined
    }
  | { readonly kind: 'BODY'; readonly section: SectionName; readonly label: string }

export interface ConvertItems {
  readonly wantsUid: boolean
  readonly items: readonly ConvertItem[]
}

/** Reads `("image/jpeg" ("pix-x" "128"))` or `(NIL)`. Throws BAD. */
export function parseConvertParams(parser: Parser): ConversionWish {
  parser.expect('(')
  const to = parser.takeKeyword('NIL') ? undefined : parseMediaType(parser.string())
  const parameters = new Map<string, string>()
  if (parser.moreAfterSpace()) {
    let name: string | undefined
    // Names and values by turns.
    parser.list(() => {
      const word = parser.astring()
      if (name === undefined) name = word.toLowerCase()
      else {
        if (parameters.has(name)) throw bad('a conversion parameter stands twice')
        parameters.set(name, word)
        name = undefined
      }
    })
    if (name !== undefined || parameters.size === 0) throw bad('each conversion parameter has a value')
  }
  parser.expect(')')
  return { to, parameters }
}

/** `type/subtype` in lower case. Throws BAD. */
export function parseMediaType(text: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9!#$&.+^_-]{0,126}\/[A-Za-z0-9][A-Za-z0-9!#$&.+^_-]{0,126}$/.test(text))
    throw bad('that is no media type')
  return text.toLowerCase()
}

/** Reads one item or a list. Throws BAD. */
export function parseConvertItems(parser: Parser, { to }: ConversionWish): ConvertItems {
  let wantsUid = false
  const found = new Map<string, ConvertItem>()
  const one = () => {
    const name = parser.itemName()
    if (name === 'UID') {
      wantsUid = true
      return
    }
    const item = parseItem(name, parser)
    // RFC 5259 §6: headers go with the default conversion only.
    if (item.kind === 'BODY' && to !== undefined) throw bad('headers are converted with NIL only')
    found.set(item.kind === 'BINARY' ? `${item.label}${item.partial?.count ?? ''}` : item.label, item)
  }
  if (parser.isListNext) parser.list(one)
  else one()
  if (found.size === 0) throw bad('there is nothing to convert')
  // §8.2: the structure comes before the data.
  const rank = ({ kind }: ConvertItem) => (kind === 'BODYPARTSTRUCTURE' ? 0 : 1)
  return { wantsUid, items: [...found.values()].sort((a, b) => rank(a) - rank(b)) }
}

function parseItem(kind: string, parser: Parser): ConvertItem {
  switch (kind) {
    case 'BINARY':
    case 'BINARY.SIZE':
    case 'BODYPARTSTRUCTURE':
    case 'AVAILABLECONVERSIONS': {
      const path = parseBinarySection(parser)
      const partial = kind === 'BINARY' ? parsePartial(parser) : undefined
      const label = `${kind}${formatSection({ kind: 'BODY', path })}`
      return { kind, path, partial, label: partial ? `${label}<${partial.offset}>` : label }
    }
    case 'BODY': {
      const section = parseSection(parser)
      if (section.kind !== 'HEADER' && section.kind !== 'MIME')
        throw bad('of BODY only headers are converted')
      return { kind, section, label: `BODY${formatSection(section)}` }
    }
    default:
      throw bad('there is no such CONVERT item')
  }
}
