// LIST's wildcards. RFC 9051 §6.3.9. Linear in pattern times name, whatever the pattern: no backtracking. The patterns are bounded, but an account
// can have thousands of long names: give way between them.
import { limits } from '../base/limits.ts'
import { no } from './error.ts'

export type Pattern = (name: string) => boolean

/**
 * Whether a name fits any of the patterns behind the reference: `*` stands for anything, `%` for anything within one level. INBOX fits in any case.
 * Throws NO [LIMIT] when they are too long.
 */
export function compilePattern(patterns: readonly string[], reference = ''): Pattern {
  const plain = new Set<string>()
  const tests: Pattern[] = []
  let characters = 0
  for (const raw of patterns) {
    // What is longer than a name can be stands for none.
    if (!/[*%]/.test(raw) && !/[*%]/.test(reference)) {
      if (reference.length + raw.length <= limits.mailbox.nameBytes)
        plain.add(canonicalPattern(reference + raw))
      continue
    }
    characters += reference.length + raw.length
    if (characters > limits.imap.listPatternCharacters) throw no('LIMIT', 'The patterns are too long')
    const pattern = canonicalPattern(reference + raw)
    tests.push(name => fits(pattern, name))
  }
  return name => plain.has(name) || tests.some(test => test(name))
}

function canonicalPattern(raw: string): string {
  // Several wildcards in a row mean what the strongest of them means.
  const pattern = raw.replace(/[*%]*\*[*%]*/g, '*').replace(/%+/g, '%')
  const isInbox = /^inbox(?=$|\/)/i.test(pattern)
  return isInbox ? `INBOX${pattern.slice(5)}` : pattern
}

/** Which positions of the pattern can be reached, byte by byte of the name. */
function fits(pattern: string, name: string): boolean {
  let reached = new Uint8Array(pattern.length + 1)
  let next = new Uint8Array(pattern.length + 1)
  reached[0] = 1
  skipWildcards(pattern, reached)
  for (const unit of units(name)) {
    next.fill(0)
    let isAlive = false
    for (let at = 0; at < pattern.length; at++) {
      if (reached[at] === 0) continue
      const char = pattern[at]
      if (char === '*' || (char === '%' && unit !== '/')) next[at] = 1
      else if (char === unit || (name === 'INBOX' && char?.toUpperCase() === unit)) next[at + 1] = 1
      else continue
      isAlive = true
    }
    if (!isAlive) return false
    skipWildcards(pattern, next)
    ;[reached, next] = [next, reached]
  }
  return reached[pattern.length] === 1
}

/** A wildcard may stand for nothing. */
function skipWildcards(pattern: string, reached: Uint8Array): void {
  for (let at = 0; at < pattern.length; at++) {
    if (reached[at] === 1 && (pattern[at] === '*' || pattern[at] === '%')) reached[at + 1] = 1
  }
}

function* units(name: string): Generator<string> {
  for (let at = 0; at < name.length; at++) yield name[at] as string
}
