// One input of the fuzz: a command as a client might send it, right, nearly right or wrong, in such a form that its end is never in doubt.
import type { Random } from '../../../bench/random.ts'
import { findLiteralHead } from '../../../src/imap/input/command-input.ts'
import { commands } from '../../../src/imap/commands.ts'
import { argumentsOf, literal, mailboxNames } from './grammar.ts'

export interface Input {
  /** In Latin-1, without the tag and the last CRLF; literals stand in it in their wire form. */
  readonly text: string
  readonly command: string
  /** The tag is part of the text, and may be none. */
  readonly isBare: boolean
}

const forms = commands.flatMap(({ name, uid }) => [
  ...(uid === 'only' ? [] : [{ name, isUid: false }]),
  ...(uid === undefined ? [] : [{ name, isUid: true }]),
])

/** What an input is, by chance. */
export function makeInput(random: Random): Input {
  const dice = random.next()
  if (dice < 0.4) return makeValid(random)
  if (dice < 0.85) return mutate(random, makeValid(random))
  if (dice < 0.95) return makeSoup(random)
  if (dice < 0.99) return makeNoise(random)
  return makeLarge(random)
}

/** A well-formed command of the table, each as often as the next. Those that end a session are rarer. */
export function makeValid(random: Random): Input {
  for (;;) {
    const { name, isUid } = random.pick(forms)
    if ((name === 'LOGOUT' || name === 'UNAUTHENTICATE' || name === 'COMPRESS') && !random.chance(0.02))
      continue
    return {
      command: name,
      text: `${isUid ? 'UID ' : ''}${name}${argumentsOf(random, name, isUid)}`,
      isBare: false,
    }
  }
}

/** Text between literals, and what the literal after it holds. */
interface Piece {
  text: string
  literal?: { readonly bytes: string; readonly head: string }
}

/** Takes the wire form apart as the server does. */
export function piecesOf(wire: string): Piece[] {
  const pieces: Piece[] = []
  for (let at = 0; ; ) {
    const end = wire.indexOf('\r\n', at)
    const line = end < 0 ? wire.slice(at) : wire.slice(at, end)
    const head = end < 0 ? undefined : findLiteralHead(Buffer.from(line, 'latin1'))
    if (!head) {
      pieces.push({ text: line })
      return pieces
    }
    const start = end + 2
    at = start + head.sizeBytes
    pieces.push({
      text: line.slice(0, head.start),
      literal: {
        bytes: wire.slice(start, at),
        head: `${head.binary ? '~' : ''}${head.nonSynchronizing ? '+' : ''}`,
      },
    })
  }
}

/** Puts pieces together again, with heads that tell the truth and no head or line end where none was meant. */
function wireOf(pieces: readonly Piece[]): string {
  return pieces
    .map(({ text, literal: held }) => {
      const line = text.replaceAll(/[\r\n]/g, ' ')
      if (!held) return findLiteralHead(Buffer.from(line, 'latin1')) ? `${line} ` : line
      return `${line}${held.head.startsWith('~') ? '~' : ''}${literal(held.bytes, held.head.endsWith('+') ? '+' : '')}`
    })
    .join('')
}

const strays = [
  ' ',
  '  ',
  '(',
  ')',
  '()',
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  '<',
  '>',
  ';',
  '/',
  '%',
  '=',
  '*',
  ':',
  ',',
  '.',
  '-',
  '+',
  '~',
  '$',
  '&',
  '#',
  '@',
  '0',
  '1',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '99999999999999999999',
  '1:*',
  '*:*',
  '\0',
  '\x7f',
  '\x80',
  '\xff',
  '\xc3',
  '\xc3\xa9',
  'NIL',
  'INBOX',
  'UID',
  'BODY[',
  'HEADER.FIELDS',
  '\\Seen',
  '\\*',
  'RETURN',
  'CHARSET',
  '__proto__',
  'constructor',
  '""',
  '"x"',
  '&AAA-',
  '&Jjo',
  '\t',
]

/** A command with slips in it. */
function mutate(random: Random, valid: Input): Input {
  const pieces = piecesOf(valid.text)
  for (let left = 1 + random.below(3); left > 0; left--) {
    const piece = random.pick(pieces)
    piece.text = random.chance(0.5) ? mutateBytes(random, piece.text) : mutateWords(random, piece.text)
  }
  if (random.chance(0.05))
    pieces.splice(random.below(pieces.length), 0, { text: '', literal: { bytes: 'a\0b', head: '+' } })
  return { ...valid, text: wireOf(pieces) }
}

function mutateBytes(random: Random, text: string): string {
  const at = random.below(text.length + 1)
  const span = 1 + random.below(4)
  switch (random.below(6)) {
    case 0:
      return text.slice(0, at) + text.slice(at + 1)
    case 1:
      return text.slice(0, at) + text.slice(Math.max(0, at - span))
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
    case 3:
      return text.slice(0, at)
    case 4:
      return (
        text.slice(0, at) + text.slice(at, at + span).repeat(2 + random.below(20)) + text.slice(at + span)
      )
    default:
      return text.slice(0, at) + random.pick(strays) + text.slice(at)
  }
}

function mutateWords(random: Random, text: string): string {
  const words = text.split(' ')
  const at = random.below(words.length)
  switch (random.below(5)) {
    case 0:
      words.splice(at, 1)
      break
    case 1:
      words.splice(at, 0, words[at] ?? '')
      break
    case 2:
      words[at] = random.pick(strays)
      break
    case 3: {
      // Words of another command.
      const others = (piecesOf(makeValid(random).text)[0] as Piece).text.split(' ')
      words.splice(at, random.below(3), ...others.slice(random.below(others.length)))
      break
    }
    default:
      words.splice(at, 0, random.pick(words), random.pick(strays))
  }
  return words.join(' ')
}

/** A command's name with any words behind it. */
function makeSoup(random: Random): Input {
  const { name, isUid } = random.pick(forms)
  const words = Array.from({ length: random.below(10) }, () =>
    random.chance(0.5)
      ? random.pick(strays)
      : random.pick((piecesOf(makeValid(random).text)[0] as Piece).text.split(' ')),
  )
  const between = random.chance(0.8) ? ' ' : ''
  const text = `${isUid ? 'UID ' : ''}${[name, ...words].join(between)}`
  return { command: name, text: wireOf([{ text }]), isBare: false }
}

/** A line that is no command, without a tag of ours. */
function makeNoise(random: Random): Input {
  const noise = random.chance(0.5)
    ? random.bytes(random.below(60)).toString('latin1')
    : Array.from({ length: 1 + random.below(5) }, () => random.pick(strays)).join(
        random.chance(0.5) ? ' ' : '',
      )
  // A request of HTTP ends the connection, rightly.
  return { command: '', text: wireOf([{ text: noise }]), isBare: true }
}

/** What is at a limit or past it. */
function makeLarge(random: Random): Input {
  const make = random.pick([
    () => `FETCH 1 ${'('.repeat(random.below(200))}FLAGS`,
    () => `UID SEARCH ${'('.repeat(49)}ALL${')'.repeat(49)}`,
    () => `SEARCH ${'NOT '.repeat(random.below(100))}ALL`,
    () => `SEARCH ${'OR ALL '.repeat(random.below(6000))}ALL`,
    () => `UID FETCH ${'1,'.repeat(random.below(20_000))}1 (UID)`,
    () => `UID FETCH 1 (${'BODY.PEEK[1.2.3.4.5.6.7.8.9]<1.1> '.repeat(random.below(1100))}UID)`,
    () => `LIST "" "${random.pick(['*', '%', '%/'])}${'*%'.repeat(random.below(1200))}"`,
    () => `CREATE ${'a/'.repeat(random.below(40))}b`,
    () => `CREATE "${'n'.repeat(random.below(1100))}"`,
    () => `SUBSCRIBE "${random.pick(mailboxNames)}${'\xc3\xa9'.repeat(random.below(600))}"`,
    () => `STORE 1 +FLAGS (${'k'.repeat(random.below(300))})`,
    () => `STORE 1 FLAGS (${Array.from({ length: random.below(300) }, (_, at) => `n${at}`).join(' ')})`,
    () => `ID (${'"a" "b" '.repeat(random.below(40))})`.replace(' )', ')'),
    () => `SEARCH TEXT ${literal('x'.repeat(random.below(40_000)))}`,
    () => `SEARCH ${Array.from({ length: random.below(30) }, () => `TEXT ${literal('x')}`).join(' ')} ALL`,
    () => `NOOP ${'x'.repeat(60_000 + random.below(10_000))}`,
    () => `SETMETADATA INBOX (/private/comment ${literal('v'.repeat(random.below(70_000)))})`,
    () => `APPEND INBOX ${literal(`Subject: x\r\n\r\n${'y\r\n'.repeat(random.below(30_000))}`)}`,
    () => `APPEND nowhere ${literal('z'.repeat(random.below(100_000)))}`,
    () =>
      `APPEND INBOX ${literal(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n'.repeat(random.below(500))}`)}`,
    () => `APPEND INBOX ${literal(`${'X-Field: v\r\n'.repeat(random.below(2000))}\r\nbody`)}`,
    () => `APPEND INBOX ${literal(`To: ${'a@b, (((('.repeat(random.below(2000))}\r\n\r\nbody`)}`,
  ])
  const text = make()
  return {
    command:
      (text.split(' ')[0] as string) === 'UID'
        ? (text.split(' ')[1] as string)
        : (text.split(' ')[0] as string),
    text,
    isBare: false,
  }
}
