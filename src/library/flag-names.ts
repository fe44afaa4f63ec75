// Flags by their names. RFC 9051 §2.3.2.
import { type FlagSet, systemFlags } from '../store/flags.ts'

/** `\Seen` and so on, then the keywords. */
export function flagNames({ system, keywords }: FlagSet): string[] {
  const names = Object.entries(systemFlags).flatMap(([name, bit]) => ((system & bit) === 0 ? [] : [name]))
  return [...names, ...keywords]
}

/** The set that names stand for; system flags in any case. */
export function flagSetOf(names: readonly string[]): FlagSet {
  let system = 0
  const keywords: string[] = []
  for (const name of names) {
    const known = Object.entries(systemFlags).find(([flag]) => flag.toLowerCase() === name.toLowerCase())
    if (known) system |= known[1]
    else keywords.push(name)
  }
  return { system, keywords }
}
