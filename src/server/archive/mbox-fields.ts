// The header fields that `mbox-writer.ts` adds for a message's flags, and that reading such an mbox takes away again, so that the way
// out and back changes no byte. They stand at the end of the header: Status, X-Status, X-Keywords where needed, then their count.
import { findBodyStart } from '../../message/header.ts'
import { answered, deleted, draft, flagged, type FlagSet, seen } from '../../store/flags.ts'

const mark = 'X-Restante-Mbox-Fields: '

/** The lines to be added for flags, with LF. */
export function flagFields(flags: FlagSet): string {
  const has = (flag: number, letter: string) => ((flags.system & flag) === 0 ? '' : letter)
  const xStatus = has(answered, 'A') + has(flagged, 'F') + has(draft, 'T') + has(deleted, 'D')
  const lines = [`Status: ${has(seen, 'R')}O`]
  if (xStatus !== '') lines.push(`X-Status: ${xStatus}`)
  if (flags.keywords.length > 0) lines.push(`X-Keywords: ${flags.keywords.join(' ')}`)
  return [...lines, `${mark}${lines.length}`, ''].join('\n')
}

/** A message with LF line endings, with `fields` at the end of its header. */
export function addFields(message: Buffer, fields: string): Buffer {
  const bodyAt = findBodyStart(message)
  const hasBlankLine =
    bodyAt > 0 && message[bodyAt - 1] === 10 && (bodyAt === 1 || message[bodyAt - 2] === 10)
  const headerEnd = hasBlankLine ? bodyAt - 1 : bodyAt
  return Buffer.concat([
    message.subarray(0, headerEnd),
    Buffer.from(fields, 'utf8'),
    message.subarray(headerEnd),
  ])
}

/** The message without the fields that `addFields` put in, and those; the message alone when there are none. */
export function splitAddedFields(message: Buffer): {
  readonly message: Buffer
  readonly added: Buffer | undefined
} {
  const headerEnd = findBodyStart(message)
  const found = message.lastIndexOf(`\n${mark}`, headerEnd)
  const start = found === -1 ? 0 : found + 1
  if (message.toString('latin1', start, start + mark.length) !== mark) return { message, added: undefined }
  const newline = message.indexOf(10, start)
  const end = newline === -1 ? message.length : newline + 1
  const count = Number(message.toString('latin1', start + mark.length, end).trim())
  if (!Number.isInteger(count) || count < 1 || count > 3) return { message, added: undefined }
  let from = start
  for (let line = 0; line < count; line++) {
    if (from === 0) return { message, added: undefined }
    from = from === 1 ? 0 : message.lastIndexOf(10, from - 2) + 1
  }
  return {
    message: Buffer.concat([message.subarray(0, from), message.subarray(end)]),
    added: message.subarray(from, start),
  }
}
