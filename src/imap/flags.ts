// Flags between the wire and the store. RFC 9051 §2.3.2.
import type { FlagSet } from '../store/flags.ts'
import { seen, systemFlags } from '../store/flags.ts'
import { rightBits, type Rights } from '../store/rights.ts'
import { sharedFlags } from '../store/shared-flags.ts'
import { bad } from './error.ts'

const systemByName = new Map<string, number>(
  Object.entries(systemFlags).map(([name, bit]) => [name.toLowerCase(), bit]),
)

/** System flags, by bit, in the order they are shown. */
const systemNames = Object.entries(systemFlags)

/** Flags that a client named. `\Recent` can't be set and is left out (RFC 3501 §2.3.2); other unknown `\` flags are BAD. */
export function parseFlags(names: readonly string[]): FlagSet {
  let system = 0
  const keywords = new Map<string, string>()
  for (const name of names) {
    if (name.startsWith('\\')) {
      const lower = name.toLowerCase()
      const bit = systemByName.get(lower)
      if (bit !== undefined) system |= bit
      else if (lower !== '\\recent') throw bad(`there is no system flag ${name}`)
    } else if (!keywords.has(name.toLowerCase())) keywords.set(name.toLowerCase(), name)
  }
  return { system, keywords: [...keywords.values()] }
}

/** The names of `system` bits and `keywords`, separated by spaces. */
export function formatFlags(system: number, keywords: readonly string[], isRecent = false): string {
  const names: string[] = []
  for (const [name, bit] of systemNames) if (system & bit) names.push(name)
  if (isRecent) names.push('\\Recent')
  names.push(...keywords)
  return names.join(' ')
}

/** The flags that somebody may change, as PERMANENTFLAGS lists them. RFC 4314 §4 (STORE). */
export function permanentFlags(rights: Rights, keywords: readonly string[]): string {
  const { system, keywords: mayWrite } = sharedFlags(rights)
  const names = formatFlags(system | (rights & rightBits.s ? seen : 0), mayWrite ? keywords : [])
  return mayWrite ? `${names} \\*` : names
}

/** All system flags, for FLAGS and PERMANENTFLAGS. */
export const allSystemFlags = systemNames.map(([name]) => name).join(' ')
