// What a server offers in its answer to EHLO. RFC 5321 §4.1.1.1.

export interface Capabilities {
  /** Keywords in capitals, each with its parameters. */
  has(keyword: string): boolean
  parametersOf(keyword: string): readonly string[]
}

/** The lines of the reply, the greeting first. What is malformed is left out. */
export function parseCapabilities(lines: readonly string[]): Capabilities {
  const found = new Map<string, readonly string[]>()
  for (const line of lines.slice(1)) {
    const [keyword = '', ...parameters] = line.trim().split(/[ \t]+/)
    if (/^[A-Za-z0-9][A-Za-z0-9-]*$/.test(keyword)) {
      found.set(keyword.toUpperCase(), parameters)
      continue
    }
    // AUTH=LOGIN, as old servers say it.
    const old = /^AUTH=(.*)$/i.exec(keyword)
    if (old && !found.has('AUTH')) found.set('AUTH', [old[1] ?? '', ...parameters])
  }
  return {
    has: keyword => found.has(keyword),
    parametersOf: keyword => found.get(keyword) ?? [],
  }
}

/** RFC 1870 §3: the largest message that the server takes; Infinity where it does not say. */
export function maxSizeOf(capabilities: Capabilities): number {
  const [text] = capabilities.parametersOf('SIZE')
  const size = text !== undefined && /^\d{1,20}$/.test(text) ? Number(text) : 0
  return size === 0 ? Infinity : size
}
