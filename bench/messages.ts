// Mail for benchmarks, made by rule from a number: the same number gives the same message on every machine.
// RFC 5322, RFC 2045 to 2049.
import { Random } from './random.ts'

const lineEnd = '\r\n'
const names = [
  'Ada Lind',
  'Björn Öst',
  'Chloé Martin',
  'David Okoye',
  'Eva Novák',
  'Farid Rahimi',
  'Grace Hopper',
  '田中 太郎',
]
const syllables = 'ba ko lu mi ra ne to si va du fe go hi ju ka lo mu na pi zu'.split(' ')
const words =
  'account agenda answer april archive attached autumn balance before booking bridge budget calendar change coffee contract copy customer delivery design document draft early engine evening example factory figures final forest garden harbour holiday image invoice island january kitchen later letter library market meeting minutes monday morning museum network notes number office order paper payment picture planning please project proposal question quiet railway reading receipt regards release report review river school season server shipping signature simple spring station summer support table teacher thanks ticket tomorrow travel update version village weather weekend window winter writing yellow'.split(
    ' ',
  )

/** A plain-text message of 600 to 1,300 bytes, as in a large mailbox of short notices. */
export function smallMessage(number: number): Buffer {
  const random = new Random(number * 2 + 1)
  return Buffer.from(header(random, number) + textHeader + prose(random, 120 + random.below(700)))
}

/** A plain-text message of exactly `sizeBytes` bytes. */
export function messageOfSize(number: number, sizeBytes: number): Buffer {
  const random = new Random(number * 2 + 1)
  const message = Buffer.alloc(sizeBytes, block.subarray(random.below(block.length / 2)))
  const headBytes = message.write(header(random, number) + textHeader, 'utf8')
  message.write(lineEnd, sizeBytes - 2, 'latin1')
  // The prose was cut anywhere: no half of a line end at either of its ends.
  if (message[headBytes] === 10) message[headBytes] = 46
  if (message[sizeBytes - 3] === 13) message[sizeBytes - 3] = 46
  return message
}

/**
 * A message as people and programs send them: plain text, HTML with its plain alternative, inline images, attachments,
 * forwarded mail. The mean size is about 70 KB and the largest are a few megabytes.
 */
export function realisticMessage(number: number): Buffer {
  const random = new Random(number * 2 + 1)
  const head = header(random, number)
  const kind = random.next()
  if (kind < 0.4) return Buffer.from(head + textHeader + prose(random, size(random, 1500)))
  if (kind < 0.7) return Buffer.from(head + alternative(random, `a${number}`))
  if (kind < 0.9) return Buffer.from(head + mixed(random, number))
  if (kind < 0.95) return Buffer.from(head + related(random, number))
  return Buffer.from(head + forwarded(random, number))
}

/** Words that few messages hold, as names and numbers of cases are in real mail. */
export function rareWord(number: number): string {
  let word = ''
  for (let left = (number % 8000) + 8000; left > 0; left = Math.floor(left / 20)) word += syllables[left % 20]
  return word
}

const textHeader = `MIME-Version: 1.0${lineEnd}Content-Type: text/plain; charset=utf-8${lineEnd}Content-Transfer-Encoding: 8bit${lineEnd}${lineEnd}`

function header(random: Random, number: number): string {
  const from = random.below(names.length)
  const date = new Date(Date.UTC(2020, 0, 1) + number * 977_000)
  const fields = [
    `Return-Path: <sender${from}@example.net>`,
    `Received: from mx${random.below(9)}.example.net (mx.example.net [192.0.2.${random.below(255)}])${lineEnd}\tby mail.example.org with ESMTPS id ${token(random)};${lineEnd}\t${rfcDate(date)}`,
    `Date: ${rfcDate(date)}`,
    `From: ${encodeName(names[from] ?? '')} <sender${from}@example.net>`,
    `To: ${encodeName(random.pick(names))} <u${random.below(50)}@example.org>`,
    `Subject: ${random.chance(0.3) ? 'Re: ' : ''}${sentence(random, 3 + random.below(5))}${random.chance(0.1) ? ` ${encodeWord('Grüße')}` : ''}`,
    `Message-ID: <${token(random)}.${number}@example.net>`,
  ]
  if (random.chance(0.3) && number > 10) {
    fields.push(`In-Reply-To: <parent.${number - 1 - random.below(10)}@example.net>`)
  }
  if (random.chance(0.2))
    fields.push(`Cc: list${random.below(5)}@example.com, "Quoted, Name" <q@example.com>`)
  if (random.chance(0.5)) fields.push(`X-Mailer: Example ${random.below(20)}.${random.below(10)}`)
  return fields.map(field => field + lineEnd).join('')
}

function alternative(random: Random, boundary: string): string {
  const text = prose(random, size(random, 2500))
  return multipart('alternative', `=_${boundary}`, [
    `Content-Type: text/plain; charset=utf-8${lineEnd}Content-Transfer-Encoding: 8bit${lineEnd}${lineEnd}${text}`,
    `Content-Type: text/html; charset=utf-8${lineEnd}Content-Transfer-Encoding: quoted-printable${lineEnd}${lineEnd}${html(text)}`,
  ])
}

function mixed(random: Random, number: number): string {
  const parts = [partOf(alternative(random, `m${number}`))]
  for (let left = 1 + random.below(3); left > 0; left--) {
    const name = `${random.pick(words)}-${number}.${random.pick(['pdf', 'jpg', 'docx', 'zip'])}`
    parts.push(
      `Content-Type: application/octet-stream; name="${name}"${lineEnd}Content-Disposition: attachment; filename="${name}"${lineEnd}Content-Transfer-Encoding: base64${lineEnd}${lineEnd}${base64(random, size(random, 70_000))}`,
    )
  }
  return multipart('mixed', `=_x${number}`, parts)
}

function related(random: Random, number: number): string {
  const image = `Content-Type: image/png${lineEnd}Content-ID: <logo.${number}@example.net>${lineEnd}Content-Disposition: inline${lineEnd}Content-Transfer-Encoding: base64${lineEnd}${lineEnd}${base64(random, size(random, 20_000))}`
  return multipart('related', `=_r${number}`, [partOf(alternative(random, `r${number}`)), image])
}

function forwarded(random: Random, number: number): string {
  const inner = header(random, number + 500_000) + alternative(random, `f${number}`)
  const note = `Content-Type: text/plain; charset=utf-8${lineEnd}${lineEnd}${prose(random, 300)}`
  return multipart('mixed', `=_w${number}`, [
    note,
    `Content-Type: message/rfc822${lineEnd}${lineEnd}${inner}`,
  ])
}

/** The MIME header fields and body of a multipart, to be put after other header fields. */
function multipart(subtype: string, boundary: string, parts: readonly string[]): string {
  const open = parts.map(part => `--${boundary}${lineEnd}${part}${lineEnd}`).join('')
  return `MIME-Version: 1.0${lineEnd}Content-Type: multipart/${subtype}; boundary="${boundary}"${lineEnd}${lineEnd}This is a message in MIME format.${lineEnd}${open}--${boundary}--${lineEnd}`
}

/** A multipart as a part of another one: without MIME-Version. */
function partOf(text: string): string {
  return text.slice(text.indexOf(lineEnd) + lineEnd.length)
}

/** Sizes vary over two orders of magnitude around their median, as those of real mail do. */
function size(random: Random, medianBytes: number): number {
  const spread = (random.next() + random.next() + random.next() - 1.5) * 2.2
  return Math.min(3_000_000, Math.max(40, Math.round(medianBytes * Math.exp(spread))))
}

function prose(random: Random, sizeBytes: number): string {
  const lines: string[] = []
  for (let bytes = 0; bytes < sizeBytes; ) {
    const line = sentence(random, 6 + random.below(6))
    lines.push(line)
    bytes += line.length + 2
  }
  return lines.join(lineEnd) + lineEnd
}

function sentence(random: Random, count: number): string {
  let text = random.pick(words)
  for (let left = count - 1; left > 0; left--) {
    text += ` ${random.chance(0.05) ? rareWord(random.below(8000)) : random.pick(words)}`
  }
  return text
}

/** HTML as programs write it: a table, styles in every cell, lines cut by quoted-printable. */
function html(text: string): string {
  const rows = text
    .trimEnd()
    .split(lineEnd)
    .map(line => `<tr><td style=3D"padding:0 4px;color:#333">=${lineEnd}${line}=${lineEnd}</td></tr>`)
  return `<html><body><table>${lineEnd}${rows.join(lineEnd)}${lineEnd}</table></body></html>${lineEnd}`
}

function base64(random: Random, sizeBytes: number): string {
  // One random block repeated with a stride that base64 doesn't see: cheap, and not compressible to nothing.
  const block = random.bytes(1021)
  const text = Buffer.alloc(sizeBytes, block).toString('base64')
  const lines: string[] = []
  for (let at = 0; at < text.length; at += 76) lines.push(text.slice(at, at + 76))
  return lines.join(lineEnd) + lineEnd
}

function token(random: Random): string {
  return random.bytes(8).toString('hex')
}

function encodeName(name: string): string {
  return /^[\x20-\x7e]*$/.test(name) ? name : encodeWord(name)
}

function encodeWord(text: string): string {
  return `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`
}

function rfcDate(date: Date): string {
  return date.toUTCString().replace('GMT', '+0000')
}

/** Half a megabyte of prose to cut from where the text itself doesn't matter. */
const block = Buffer.from(prose(new Random(7), 512 * 1024))
