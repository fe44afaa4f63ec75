// Writes a mailbox as mboxrd, which can be read back without loss: each `From ` at a line's start, quoted or not, gets one `>` more.
import type { FlagSet } from '../../store/flags.ts'
import { crlfToLf } from './line-endings.ts'
import { addFields, flagFields } from './mbox-fields.ts'

/** One message with its separator before and the empty line after it. Line ends are LF; a last line without an end gets one. */
export function mboxEntry(message: Buffer, flags: FlagSet, receivedAt: number, sender: string): Buffer {
  const text = quote(addFields(crlfToLf(message), flagFields(flags)))
  const separator = Buffer.from(`From ${envelopeSender(sender)} ${asctime(receivedAt)}\n`, 'latin1')
  const tail = text.at(-1) === 10 ? '\n' : '\n\n'
  return Buffer.concat([separator, text, Buffer.from(tail)])
}

function envelopeSender(sender: string): string {
  return /^[\x21-\x7e]{1,320}$/.test(sender) ? sender : 'MAILER-DAEMON'
}

/** `Thu Jan  1 00:00:00 1970`, in UTC. RFC 4155 appendix A. */
function asctime(ms: number): string {
  const [day = '', date = '', month = '', year = '', time = ''] = new Date(ms)
    .toUTCString()
    .replace(',', '')
    .split(' ')
  return `${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`
}

function quote(bytes: Buffer): Buffer {
  const pieces: Buffer[] = []
  let from = 0
  for (let at = lineStart(bytes, 0); at !== -1; at = lineStart(bytes, at + 1)) {
    let quotes = at
    while (bytes[quotes] === 62) quotes++
    if (bytes.toString('latin1', quotes, quotes + 5) !== 'From ') continue
    pieces.push(bytes.subarray(from, at), Buffer.from('>'))
    from = at
  }
  return pieces.length === 0 ? bytes : Buffer.concat([...pieces, bytes.subarray(from)])
}

/** The next start of a line with `>` or `F` from `at` on, or -1. */
function lineStart(bytes: Buffer, at: number): number {
  for (let from = at; ; ) {
    if ((from === 0 || bytes[from - 1] === 10) && (bytes[from] === 62 || bytes[from] === 70)) return from
    const end = bytes.indexOf(10, from)
    if (end === -1 || end + 1 >= bytes.length) return -1
    from = end + 1
  }
}
