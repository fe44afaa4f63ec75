// What a command reads: a password from standard input or from a person, lines from a file.
import { createInterface } from 'node:readline/promises'
import type { Readable } from 'node:stream'
import { CliError } from './cli-error.ts'
import type { Terminal } from './terminal.ts'

const maxBytes = 64 * 1024 * 1024

/** All of a stream as UTF-8. Throws CliError when it is longer than any list of accounts. */
export async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  let byteLength = 0
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk as Buffer)
    byteLength += bytes.length
    if (byteLength > maxBytes) throw new CliError('the input is too long')
    chunks.push(bytes)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The first line of standard input with --password-stdin; else asks twice, where somebody can answer. Throws CliError. */
export async function readPassword(terminal: Terminal, isFromStdin: boolean): Promise<string> {
  if (isFromStdin) {
    const [line = ''] = (await readAll(terminal.stdin)).split(/\r?\n/, 1)
    if (line === '') throw new CliError('standard input holds no password: its first line is empty')
    return line
  }
  if (!terminal.isInteractive) {
    throw new CliError('no password: give --password-stdin and write it to standard input', { exitCode: 2 })
  }
  const first = await ask(terminal, 'Password: ')
  const second = await ask(terminal, 'Again: ')
  if (first !== second) throw new CliError('the two passwords differ')
  if (first === '') throw new CliError('the password is empty')
  return first
}

/** Asks without showing the answer. */
async function ask(terminal: Terminal, question: string): Promise<string> {
  terminal.err(question)
  const lines = createInterface({ input: terminal.stdin, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    terminal.err('\n')
  }
}
