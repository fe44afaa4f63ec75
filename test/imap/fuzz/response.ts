// Responses as bytes: where they end, and whether they are well-formed. RFC 9051 §7, §9.

/** Where the response that begins at `from` ends, with its literals; -1 where it is not whole yet. */
export function endOfResponse(buffer: Buffer, from: number): number {
  for (let at = from; ; ) {
    const end = buffer.indexOf('\r\n', at)
    if (end < 0) return -1
    if (buffer[end - 1] !== 0x7d) return end + 2
    const literal = /\{(\d+)\}$/.exec(buffer.toString('latin1', Math.max(at, end - 20), end))
    if (!literal) return end + 2
    at = end + 2 + Number(literal[1])
    if (at > buffer.length) return -1
  }
}

/** What is wrong with the syntax of an untagged response, outside free text: quotes and parentheses that do not fit, bytes that may not be there. */
export function flawOf(line: string): string | undefined {
  const isText = /^\* (?:OK|NO|BAD|BYE|PREAUTH) /.test(line)
  let depth = 0
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at)
    if (code === 0x0d || code === 0x0a || code === 0) return 'a CR, LF or NUL in a response'
    if (isText) continue
    if (code === 0x28) depth++
    else if (code === 0x29 && --depth < 0) return 'a parenthesis closes nothing'
    else if (code === 0x22) {
      for (at++; line[at] !== '"'; at++) {
        if (at >= line.length) return 'a quoted string has no end'
        if (line[at] === '\\') at++
      }
    } else if (code === 0x7b) {
      const literal = /^\{(\d+)\}\r\n/.exec(line.slice(at, at + 30))
      if (literal) at += literal[0].length + Number(literal[1]) - 1
    }
  }
  return depth === 0 ? undefined : 'a parenthesis is not closed'
}
