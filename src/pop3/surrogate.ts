// A message with UTF-8 in its header, made fit for a client that has not said UTF8. RFC 6856 §2.1; RFC 6855 §7; RFC 2047; RFC 2231; RFC 6857 in its simple parts,
// from what is known of it: names and texts become encoded words, parameters RFC 2231, a domain its A-labels; an address that ASCII cannot write becomes
// an empty group that names it, so that nobody answers to somewhere else.
import { domainToASCII } from 'node:url'
import { type Mailbox, parseAddresses } from '../message/address.ts'
import { decodeRaw } from '../message/charset.ts'
import { decodeWords } from '../message/encoded-word.ts'
import { type Field, fieldsOf, findBodyStart, unfold } from '../message/header.ts'

const addressFields = /^(resent-)?(from|sender|reply-to|to|cc|bcc)$/
const outsideAscii = /[\x80-\xff]/
/** Of one encoded word, in whole groups of base64, so that a line with a field's name before it has 76 characters at most (RFC 2047 §2). */
const wordBytes = 39

/** Whether the header holds anything but ASCII. */
export function hasUtf8Header(message: Buffer): boolean {
  const end = findBodyStart(message)
  for (let i = 0; i < end; i++) if ((message[i] as number) > 0x7f) return true
  return false
}

/** The message with an ASCII header; itself when it has one. */
export function surrogateOf(message: Buffer): Buffer {
  if (!hasUtf8Header(message)) return message
  const bodyStart = findBodyStart(message)
  const block = message.toString('latin1', 0, bodyStart)
  const pieces: string[] = []
  let end = 0
  for (const field of fieldsOf(block)) {
    pieces.push(fieldText(block, field))
    end = field.end
  }
  pieces.push(block.slice(end))
  return Buffer.concat([Buffer.from(pieces.join(''), 'latin1'), message.subarray(bodyStart)])
}

function fieldText(block: string, { name, start, valueStart, end }: Field): string {
  const whole = block.slice(start, end)
  if (!outsideAscii.test(whole)) return whole
  const label = block.slice(start, valueStart).replaceAll(/[^\x21-\x7e]/g, '')
  const value = block.slice(valueStart, end)
  if (addressFields.test(name)) return `${label} ${addressList(value)}\r\n`
  if (name.startsWith('content-')) return `${label}${parameters(value)}`
  return `${label || 'X-Broken:'} ${encodeText(decodeWords(unfold(value)).trim())}\r\n`
}

function addressList(value: string): string {
  const parts: string[] = []
  let group: { readonly name: string; readonly members: string[] } | undefined
  for (const address of parseAddresses(value)) {
    if (address.kind === 'groupStart') group = { name: address.name, members: [] }
    else if (address.kind === 'groupEnd') {
      if (group) parts.push(`${encodePhrase(group.name)}: ${group.members.join(',\r\n ')};`)
      group = undefined
    } else (group?.members ?? parts).push(mailboxText(address))
  }
  if (group) parts.push(`${encodePhrase(group.name)}: ${group.members.join(',\r\n ')};`)
  return parts.join(',\r\n ')
}

function mailboxText({ name, mailbox = '', domain = '' }: Mailbox): string {
  const ascii = outsideAscii.test(domain) ? domainToASCII(decodeRaw(domain)) : domain
  if (outsideAscii.test(mailbox) || ascii === '') {
    // A group may not stand within a group, but an empty one is the only list of nobody; clients read it.
    const shown = [name === undefined ? '' : decodeWords(name), decodeRaw(`${mailbox}@${domain}`)]
    return `${encodeText(shown.join(' ').trim())}:;`
  }
  const local = /^[\w!#$%&'*+/=?^`{|}~.-]+$/.test(mailbox)
    ? mailbox
    : `"${mailbox.replaceAll(/["\\]/g, '\\$&')}"`
  if (name === undefined) return `${local}@${ascii}`
  return `${encodePhrase(name)}${outsideAscii.test(name) ? '\r\n' : ''} <${local}@${ascii}>`
}

function encodePhrase(name: string): string {
  if (outsideAscii.test(name)) return encodeText(decodeWords(name))
  return `"${name.replaceAll(/["\\]/g, '\\$&')}"`
}

/** RFC 2231 §4 for each quoted parameter that needs it; what else is not ASCII becomes `?`. */
function parameters(value: string): string {
  const encoded = value.replaceAll(/([\w-]+)="([^"\r\n]*)"/g, (all: string, key: string, text: string) => {
    if (!outsideAscii.test(text)) return all
    const percent = Array.from(Buffer.from(decodeRaw(text)), percentByte).join('')
    return `${key}*=utf-8''${percent}`
  })
  return encoded.replaceAll(/[\x80-\xff]/g, '?')
}

function percentByte(byte: number): string {
  const char = String.fromCharCode(byte)
  return /[A-Za-z0-9._-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Encoded words, folded; no character is split between two. RFC 2047 §2, §5. */
function encodeText(text: string): string {
  const words: string[] = []
  let bytes: number[] = []
  const flush = () => {
    if (bytes.length > 0) words.push(`=?utf-8?B?${Buffer.from(bytes).toString('base64')}?=`)
    bytes = []
  }
  for (const char of text) {
    const encoded = Buffer.from(char)
    if (bytes.length + encoded.length > wordBytes) flush()
    bytes.push(...encoded)
  }
  flush()
  return words.join('\r\n ')
}
