// BODY, BODY[section]<partial> and BODY.PEEK[…]. RFC 9051 §6.4.5.
import type { EmailColumn } from '../email-rows.ts'
import type { FetchItem, FetchItemDefinition } from '../fetch-item.ts'
import { fieldsSpan, partialSpan, sectionSpan, writeFields, writeSpan } from '../section-bytes.ts'
import { formatSection, type Partial, parsePartial, parseSection, type SectionName } from '../section-name.ts'
import { basicStructureItem } from './bodystructure.ts'

export const body: FetchItemDefinition = {
  name: 'BODY',
  parse(parser) {
    if (!parser.peek('[')) return basicStructureItem
    const section = parseSection(parser)
    return sectionItem(`BODY${formatSection(section)}`, section, parsePartial(parser), true)
  },
}

export const bodyPeek: FetchItemDefinition = {
  name: 'BODY.PEEK',
  parse(parser) {
    const section = parseSection(parser)
    // RFC 9051 §6.4.5: the answer is named as if it were without PEEK.
    return sectionItem(`BODY${formatSection(section)}`, section, parsePartial(parser), false)
  },
}

/** The item that gives a section of the message. */
export function sectionItem(
  name: string,
  section: SectionName,
  partial: Partial | undefined,
  setsSeen: boolean,
): FetchItem {
  const label = partial ? `${name}<${partial.offset}>` : name
  const shared = {
    label: partial ? `${label}${partial.count}` : label,
    columns: columnsFor(section),
    setsSeen,
  }
  if (section.kind === 'HEADER.FIELDS' || section.kind === 'HEADER.FIELDS.NOT') {
    return {
      ...shared,
      span(message) {
        const span = sectionSpan(message, section)
        return span && fieldsSpan(span)
      },
      write: (message, out) =>
        writeFields(message, out.ascii(label).byte(0x20), sectionSpan(message, section), section, partial),
    }
  }
  const span: FetchItem['span'] = message => {
    const found = sectionSpan(message, section)
    return found && partialSpan(found, partial)
  }
  return {
    ...shared,
    span,
    copies: true,
    write: (message, out) => writeSpan(message, out.ascii(label).byte(0x20), span(message)),
  }
}

function columnsFor({ path, kind }: SectionName): readonly EmailColumn[] {
  if (path.length > 0) return ['blob', 'parts']
  switch (kind) {
    case 'BODY':
      return ['blob', 'size_bytes']
    case 'TEXT':
      return ['blob', 'size_bytes', 'header_bytes']
    default:
      return ['blob', 'header_bytes']
  }
}
