// A header block with its encoded words and encoded parameters in another charset. RFC 2047; RFC 2231 §4; RFC 5259 §6.
import { decodeCharset, isCharsetKnown } from './charset.ts'
import { encodeCharset } from './charset-encode.ts'
import { decodeWords } from './encoded-word.ts'

/** Encoded words one behind the other. */
const words =
  /=\?[^?\s]{1,100}\?[bq]\?[^?\r\n]{0,1000}\?=(?:[ \t\r\n]+=\?[^?\s]{1,100}\?[bq]\?[^?\r\n]{0,1000}\?=)*/gi
/** `name*=charset'language'percent-encoded`; not one that is spread over sections (`name*0*=`). */
const parameter = /([;\s][!-)+-:<>-~]{1,100})\*=([^'\s;]{1,100})'([^'\s;]{0,100})'([^\s;"]{0,4000})/g

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
      const bytes = Buffer.from(
        value.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      )
      return `${name}*=${charset}'${language}'${percentEncoded(recode(decodeCharset(bytes, from)))}`
    })
  return isLacking ? undefined : recoded
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
