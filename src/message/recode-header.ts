// A header block with its encoded words and encoded parameters in another charset. RFC 2047; RFC 2231 §4; RFC 5259 §6.
import { decodeCharset, isCharsetKnown } from './charset.ts'
import { encodeCharset } from './charset-encode.ts'
import { decodeWords } from './encoded-word.ts'

/** Encoded words one behind the other. */
const words =
  /=\?[^?\s]{1,100}\?[bq]\?[^?\r\n]{0,1000}\?=(?:[ \t\r\n]+=\?[^?\s]{1,100}\?[bq]\?[^?\r\n]{0,1000}\?=)*/gi
/** `name*=charset'language'percent-encoded`. */
const parameter = /([;\s][!-)+-:<>-~]{1,100})\*=([^'\s;]{1,100})'([^'\s;]{0,100})'([^\s;"]{0,4000})/g
/** One of the sections that a parameter is spread over (RFC 2231 §3): `; name*1*=percent-encoded` or `; name*1=value`, and comments. */
const section =
  /;(\s{0,100})([!#-'+\-.0-9A-Z^-~]{1,40})\*(\d{1,3})(\*?)(\([^()\r\n]{0,100}\))?=(\([^()\r\n]{0,100}\))?(?:"([^"\r\n]{0,1000})"|([^\s;"()]{0,4000}))/g

/** RFC 5259 §6: lines stay shorter than this. */
const lineLength = 78
/** A longer one is none (RFC 5646 §4.4.1). */
const languageLength = 35

/** RFC 2047 §2: 75 characters for a whole word. */
const wordLength = 75

/** The block in Latin-1, recoded; undefined where the charset lacks a character and there is no `replacement`. What can't be decoded stays. */
export function recodeHeader(
  block: string,
  charset: string,
  replacement: string | undefined,
): string | undefined {
  let isLacking = false
  const recode = (text: string): Buffer => {
    const bytes = encodeCharset(text, charset, replacement)
    isLacking ||= bytes === undefined
    return bytes ?? Buffer.alloc(0)
  }
  const recoded = block
    .replace(words, run => {
      // RFC 2231 §5: the charset may name a language.
      const names = Array.from(run.matchAll(/=\?([^?*\s]+)[^?\s]*\?[bq]\?/gi), ([, name = '']) => name)
      if (!names.every(isCharsetKnown)) return run
      return encodedWords(decodeWords(run.replace(/[\r\n]+/g, '')), charset, recode)
    })
    .replace(parameter, (whole, name: string, from: string, language: string, value: string) => {
      if (!isCharsetKnown(from)) return whole
      return `${name}*=${charset}'${language}'${percentEncoded(recode(decodeCharset(percentDecoded(value), from)))}`
    })
  const joined = recodeSections(recoded, charset, recode)
  return isLacking ? undefined : joined
}

/** Sections one behind the other, from 0 on. */
interface Sections {
  readonly start: number
  end: number
  readonly space: string
  readonly name: string
  readonly charset: string
  readonly language: string
  readonly values: Buffer[]
  comments: string
}

/** Puts the sections of each parameter together, since a character may be spread over two of them, and spreads it anew (RFC 5259 §6). */
function recodeSections(block: string, charset: string, recode: (text: string) => Buffer): string {
  const found: Sections[] = []
  for (const match of block.matchAll(section)) {
    const [whole, space = '', name = '', number, star, before = '', behind = '', quoted, token = ''] = match
    const isExtended = star !== ''
    const comments = before + behind
    const end = match.index + whole.length
    const last = found.at(-1)
    const isNext = last?.end === match.index && last.name === name && last.values.length === Number(number)
    if (isNext) {
      last.values.push(isExtended ? percentDecoded(token) : Buffer.from(quoted ?? token, 'latin1'))
      last.comments += comments
      last.end = end
    } else if (Number(number) === 0 && isExtended) {
      const [from = '', language, value] = token.split("'", 3)
      if (
        language === undefined ||
        value === undefined ||
        language.length > languageLength ||
        !isCharsetKnown(from)
      )
        continue
      const values = [percentDecoded(value)]
      found.push({ start: match.index, end, space, name, charset: from, language, values, comments })
    }
  }
  const pieces: string[] = []
  let at = 0
  for (const { start, end, space, name, charset: from, language, values, comments } of found) {
    const text = decodeCharset(Buffer.concat(values), from)
    const spread = spreadOver(name, `${charset}'${language}'`, percentEncoded(recode(text)))
    const gap = spread.includes('\r\n') ? '\r\n ' : space
    pieces.push(block.slice(at, start), ';', gap, spread, comments && ` ${comments}`)
    at = end
  }
  return pieces.join('') + block.slice(at)
}

/** `name*=…` where that fits on a line, else `name*0*=…` and so on, each on a line of its own. */
function spreadOver(name: string, head: string, value: string): string {
  if (` ${name}*=${head}${value};`.length < lineLength) return `${name}*=${head}${value}`
  const lines: string[] = []
  let line = `${name}*0*=${head}`
  for (const [char] of value.matchAll(/%[0-9A-F]{2}|./g)) {
    if (` ${line}${char};`.length >= lineLength) {
      lines.push(line)
      line = `${name}*${lines.length}*=`
    }
    line += char
  }
  return [...lines, line].join(';\r\n ')
}

function percentDecoded(value: string): Buffer {
  return Buffer.from(
    value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** As many encoded words as are needed, each on a line of its own. */
function encodedWords(text: string, charset: string, recode: (text: string) => Buffer): string {
  const room = Math.floor((wordLength - charset.length - 7) / 4) * 3
  const made: string[] = []
  let piece = ''
  const end = () => made.push(`=?${charset}?B?${recode(piece).toString('base64')}?=`)
  for (const char of text) {
    if (piece !== '' && recode(piece + char).length > room) {
      end()
      piece = ''
    }
    piece += char
  }
  end()
  return made.join('\r\n ')
}

function percentEncoded(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9!#$&+\-.^_`{|}~]/g,
      char => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )
}
