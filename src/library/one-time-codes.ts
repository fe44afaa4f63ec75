// One-time codes in a message: digits or capitals that stand by themselves near the words that announce them.

const candidates =
  /(?<![\p{L}\p{N}_./:@#+-])(?:(?:[A-Z]-)?\d{4,10}|\d{2,4}(?:[ \u00a0-]\d{2,4}){1,2}|[A-Z0-9]{3,5}-[A-Z0-9]{3,5}|(?=[A-Z0-9]{0,7}\d)[A-Z0-9]{5,8})(?![\p{L}\p{N}_/@%-]|[.,:]\d)/gu
const announcements =
  /\b(?:code|otp|one[- ]time|passcode|pin|verif\w{0,10}|confirm\w{0,10}|token|2fa|kod|código|codice|bestätigungs\w{0,8})\b|验证码|認証コード|인증/giu
/** How far, in characters, a code may be from the word that announces it. */
const reach = 120
/** A code stands at the beginning: what follows is not looked at. */
const textCharacters = 64 * 1024
const candidatesAtMost = 200

/** The likeliest first: near the word, alone on its line, of six digits. Spaces and dashes within digits are taken out. */
export function findCodes(subject: string, text: string): string[] {
  const whole = `${subject}\n${withoutLinks(text.slice(0, textCharacters))}`.slice(0, textCharacters)
  const words = [...whole.matchAll(announcements).take(candidatesAtMost)].map(match => match.index)
  if (words.length === 0) return []
  const scores = new Map<string, number>()
  for (const match of whole.matchAll(candidates).take(candidatesAtMost)) {
    const score = scoreOf(whole, match[0], match.index, words)
    const bare = match[0].replace(/^[A-Z]-(?=\d{4})/, '')
    const code = /^[\d \u00a0-]+$/.test(bare) ? bare.replaceAll(/[^\d]/g, '') : bare
    if (score > 0 && code.length >= 4 && code.length <= 10)
      scores.set(code, Math.max(score, scores.get(code) ?? 0))
  }
  return [...scores].toSorted(([, a], [, b]) => b - a).map(([code]) => code)
}

function scoreOf(whole: string, found: string, at: number, words: readonly number[]): number {
  const distance = Math.min(...words.map(word => Math.abs(word - at)))
  const isAlone = isAloneOnLine(whole, at, found.length)
  if (distance > reach && !isAlone) return 0
  const isYear = /^(?:19|20)\d\d$/.test(found)
  const digits = found.replaceAll(/\D/g, '').length
  return (
    (reach - Math.min(distance, reach)) / reach +
    (isAlone ? 1 : 0) +
    (digits === 6 ? 0.5 : 0) +
    (isYear && !isAlone ? -1 : 0)
  )
}

/** Looks only a little to both sides. */
function isAloneOnLine(whole: string, at: number, length: number): boolean {
  const before = whole.slice(Math.max(0, at - 20), at)
  const after = whole.slice(at + length, at + length + 20)
  return /(?:^|\n)[ \t>*]{0,8}$/.test(before) && /^[ \t*]{0,8}(?:\n|\r|$)/.test(after)
}

function withoutLinks(text: string): string {
  return text.replaceAll(/https?:\/\/[^\s<>"]+/gi, ' ')
}
