// has:attachment and filename: of X-GM-RAW. X-GM-EXT-1.
import { findParameter, type Parameter } from '../../message/parameters.ts'
import type { Collation } from '../search/collation.ts'
import type { WireText } from '../fetch/email-rows.ts'
import type { SearchKey } from '../search/search-key.ts'

/** Messages with an attachment, as it was found when they were stored. */
export const attachmentKey: SearchKey = {
  kind: 'key',
  cost: 'row',
  columns: ['has_attachment'],
  bind:
    () =>
    (_index, { row }) =>
      row.has_attachment !== 0,
}

/** Messages of which a part's name holds the folded text. */
export function fileNameKey(needle: string, { fold }: Collation): SearchKey {
  return {
    kind: 'key',
    cost: 'row',
    columns: ['body_structure'],
    bind:
      () =>
      (_index, { row }) =>
        fileNames(latin1Of(row.body_structure)).some(name => fold(name).includes(needle)),
  }
}

function latin1Of(value: WireText): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString('latin1')
}

/** The names of parts in a BODYSTRUCTURE as it goes out, Latin-1. */
function fileNames(structure: string): readonly string[] {
  const names: string[] = []
  const parameter = /"((?:file)?name)(\*?)" (?:"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n)/gi
  for (let match = parameter.exec(structure); match; match = parameter.exec(structure)) {
    const [, name = '', star = '', text, bytes] = match
    const end = parameter.lastIndex + Number(bytes ?? 0)
    const value =
      text === undefined ? structure.slice(parameter.lastIndex, end) : text.replace(/\\(.)/g, '$1')
    parameter.lastIndex = end
    const folded = name.toLowerCase()
    const params: readonly Parameter[] = [{ name: folded + star, value }]
    names.push(findParameter(params, folded) ?? '')
  }
  return names
}
