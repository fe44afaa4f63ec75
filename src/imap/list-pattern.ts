// LIST's wildcards. RFC 9051 §6.3.9. Linear in pattern times name, whatever the pattern: no backtracking.

export type Pattern = (name: string) => boolean

/** Whether a name fits any of the patterns: `*` stands for anything, `%` for anything within one level. INBOX fits in any case. */
export function compilePattern(patterns: readonly string[]): Pattern {
  const tests = patterns.map(compileOne)
  return name => tests.some(test => test(name))
}

function compileOne(raw: string): Pattern {
  // Several wildcards in a row mean what the strongest of them means.
  const pattern = raw.replace(/[*%]*\*[*%]*/g, '*').replace(/%+/g, '%')
  const isInbox = /^inbox(?=$|\/)/i.test(pattern)
  const canonical = isInbox ? `INBOX${pattern.slice(5)}` : pattern
  return name => fits(canonical, name)
}

/** Which positions of the pattern can be reached, byte by byte of the name. */
function fits(pattern: string, name: string): boolean {
  let reached = new Uint8Array(pattern.length + 1)
  let next = new Uint8Array(pattern.length + 1)
  reached[0] = 1
  skipWildcards(pattern, reached)
  for (const unit of units(name)) {
    next.fill(0)
    for (let at = 0; at < pattern.length; at++) {
      if (reached[at] === 0) continue
      const char = pattern[at]
      if (char === '*' || (char === '%' && unit !== '/')) next[at] = 1
      else if (char === unit || (name === 'INBOX' && char?.toUpperCase() === unit)) next[at + 1] = 1
    }
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
