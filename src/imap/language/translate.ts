// Chooses languages and translates what people read. RFC 5255 §3; RFC 4647 §3.4 (lookup).
import { de } from './de.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import { ja } from './ja.ts'
import { texts } from './texts.ts'

export const translations = { de, fr, es, ja } as const

/** `i-default` is English for those who have chosen nothing (RFC 2277 §4.5). */
export const languages = ['en', 'de', 'fr', 'es', 'ja', 'i-default'] as const

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

type Text = (typeof texts)[number]

const known: ReadonlySet<string> = new Set(texts)
/** Texts with something put in, as what stands before and behind it. */
const templates = texts.flatMap(text => {
  const [before, after] = text.split('{}')
  return before === undefined || after === undefined ? [] : [{ text, before, after }]
})

/** `english` in `language`; as it is where it is not in the list. */
export function translate(english: string, language: Language, isBad = false): string {
  if (language === 'i-default' || language === 'en') return english
  const translation = translations[language]
  if (known.has(english)) return translation.texts[english as Text]
  for (const { text, before, after } of templates) {
    if (english.length < before.length + after.length) continue
    if (!english.startsWith(before) || !english.endsWith(after)) continue
    const inside = english.slice(before.length, english.length - after.length)
    return translation.texts[text].replace('{}', () => inside)
  }
  return isBad ? translation.syntaxError : english
}
