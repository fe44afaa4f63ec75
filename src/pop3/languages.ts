// The languages of LANG. RFC 6856 §3; RFC 4647 (matching language tags).
import { de } from './languages/de.ts'
import { en } from './languages/en.ts'
import { es } from './languages/es.ts'
import { fr } from './languages/fr.ts'
import { ja } from './languages/ja.ts'
import type { Language } from './languages/texts.ts'

export const languages: readonly Language[] = [en, de, fr, es, ja]

/** The language before any LANG. */
export const firstLanguage = en

/** The language for a range: itself, or what is left after cutting subtags off its end (`de-AT` gives `de`). RFC 4647 §3.4. */
export function findLanguage(range: string): Language | undefined {
  const subtags = range.toLowerCase().split('-')
  for (let length = subtags.length; length > 0; length--) {
    const tag = subtags.slice(0, length).join('-')
    const found = languages.find(language => language.tag === tag)
    if (found) return found
  }
  return undefined
}
