// Chooses languages and translates what people read. RFC 5255 §3; RFC 4647 §3.4 (lookup).
import { syntaxError, texts, translated, type Translations } from './texts.ts'

/** `i-default` is English for those who have chosen nothing (RFC 2277 §4.5). */
export const languages = ['en', ...translated, 'i-default'] as const

export type Language = (typeof languages)[number]

/** The first language that a range names, cut from its end until one fits: `de-CH` is `de`. Undefined where none does. */
export function findLanguage(range: string, preferred: Language): Language | undefined {
  const wanted = range.toLowerCase()
  // RFC 5255 §3.2: what the administrator prefers; RFC 4647 §3.4: "*" leaves the choice to us.
  if (wanted === 'default' || wanted === '*') return preferred
  for (let tag = wanted; tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
    const found = languages.find(language => language === tag)
    if (found) return found
  }
  return undefined
}

/** Texts with something put in, as what stands before and behind it. */
const templates = Object.entries(texts).flatMap(([english, translations]) => {
  const [before, after] = english.split('{}')
  return before === undefined || after === undefined ? [] : [{ before, after, translations }]
})

/** `english` in `language`; as it is where it is not in the table. */
export function translate(english: string, language: Language, isBad = false): string {
  if (language === 'i-default' || language === 'en') return english
  const column = translated.indexOf(language)
  const known = Object.hasOwn(texts, english) ? texts[english] : undefined
  if (known) return known[column] as string
  for (const { before, after, translations } of templates) {
    if (english.length < before.length + after.length) continue
    if (!english.startsWith(before) || !english.endsWith(after)) continue
    const inside = english.slice(before.length, english.length - after.length)
    return pick(translations, column).replace('{}', () => inside)
  }
  return isBad ? pick(syntaxError, column) : english
}

function pick(translations: Translations, column: number): string {
  return translations[column] as string
}
