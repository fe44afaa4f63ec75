// Clients that fetch every message of a mailbox, each in its own way; used by the quick tests and by the corpus drill.
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ImapFlow } from 'imapflow'
import { password, type Server, user } from '../../bench/server.ts'
import { type Exactness, withCrlf } from './mail.ts'
import { attempt, missing, run } from './program.ts'

export interface Source {
  readonly server: Server
  readonly account: number
  /** How many messages there are. */
  readonly count: number
}

export interface Fetcher {
  readonly name: string
  readonly skip: string | false
  /** What of each message it leaves as it was: POP3 has no message without a last line's end, some rewrite headers. */
  readonly exactness: Exactness
  /** Every message of the account's INBOX; `folder` is empty and for its use. */
  fetch(source: Source, folder: string): Promise<Buffer[]>
  /** Messages that the client loses or breaks by itself, whatever the server (seen with Dovecot, too). */
  cannot?(message: Buffer): boolean
  /** What the client's own parser and writer make of messages, where it doesn't pass them on as they came. */
  rewrite?(messages: readonly Buffer[], folder: string): Promise<Buffer[]>
}

/** Python's `email` fails on a body with the 0x80 that comes for a NUL. */
const hasNul = (message: Buffer) => message.includes(0) || message.includes('+\x80\x80\r\n', 0, 'latin1')

/** mbsync passes a message over whose header doesn't end ("incomplete header"). */
const hasNoBody = (message: Buffer) => !message.includes('\r\n\r\n')

/** fetchmail breaks lines that don't fit into its buffer of 8 KB, and drops NULs. */
const hasLongLine = (message: Buffer) => {
  let from = 0
  for (let at = message.indexOf('\r\n'); at >= 0; at = message.indexOf('\r\n', from)) {
    if (at - from > 8000) return true
    from = at + 2
  }
  return message.length - from > 8000 || message.includes(0)
}

export const fetchers: readonly Fetcher[] = [
  { name: 'imapflow', skip: false, exactness: 'bytes', fetch: fetchByImapflow },
  {
    name: "Python's imaplib",
    skip: missing('python3', 'python3'),
    exactness: 'bytes',
    fetch: fetchByImaplib,
  },
  { name: "Python's poplib", skip: missing('python3', 'python3'), exactness: 'lines', fetch: fetchByPoplib },
  { name: 'curl over imap', skip: missing('curl', 'curl'), exactness: 'bytes', fetch: curl('imap') },
  { name: 'curl over imaps', skip: missing('curl', 'curl'), exactness: 'bytes', fetch: curl('imaps') },
  { name: 'curl over pop3', skip: missing('curl', 'curl'), exactness: 'lines', fetch: curl('pop3') },
  { name: 'curl over pop3s', skip: missing('curl', 'curl'), exactness: 'lines', fetch: curl('pop3s') },
  {
    name: 'mbsync',
    skip: missing('mbsync', 'isync'),
    exactness: 'bytes',
    fetch: fetchByMbsync,
    cannot: hasNoBody,
  },
  {
    name: 'fetchmail over pop3',
    skip: missing('fetchmail', 'fetchmail'),
    exactness: 'body',
    fetch: fetchmail('pop3'),
    cannot: hasLongLine,
  },
  {
    name: 'fetchmail over imap',
    skip: missing('fetchmail', 'fetchmail'),
    exactness: 'body',
    fetch: fetchmail('imap'),
    cannot: hasLongLine,
  },
  {
    name: 'getmail over imap',
    skip: missing('getmail', 'getmail6'),
    exactness: 'body',
    fetch: getmail('IMAP'),
    cannot: hasNul,
    rewrite: rewriteByPython,
  },
  {
    name: 'getmail over pop3',
    skip: missing('getmail', 'getmail6'),
    exactness: 'body',
    fetch: getmail('POP3'),
    cannot: hasNul,
    rewrite: rewriteByPython,
  },
]

/** Every message of an INBOX in its order. */
export async function fetchByImapflow({ server, account }: Source): Promise<Buffer[]> {
  const client = imapflow(server, account)
  await client.connect()
  const lock = await client.getMailboxLock('INBOX')
  const found: Buffer[] = []
  for await (const message of client.fetch('1:*', { source: true })) {
    if (message.source !== undefined) found.push(message.source)
  }
  lock.release()
  await client.logout()
  return found
}

/** An imapflow client of an account, not yet connected. */
export function imapflow(server: Server, account: number): ImapFlow {
  const client = new ImapFlow({
    host: '127.0.0.1',
    port: server.ports.imaps,
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: user(account), pass: password },
    logger: false,
  })
  client.on('error', () => {}) // the command under way fails with it
  return client
}

const imaplibScript = `
import imaplib, os, sys
port, user, password = int(os.environ['PORT']), os.environ['ACCOUNT'], os.environ['PASSWORD']
client = imaplib.IMAP4('127.0.0.1', port)
client.login(user, password)
client.select('INBOX', readonly=True)
for number in client.search(None, 'ALL')[1][0].split():
    kind, data = client.fetch(number, '(BODY.PEEK[])')
    assert kind == 'OK'
    open('%06d.eml' % int(number), 'wb').write(data[0][1])
client.close()
client.logout()
`

const poplibScript = `
import poplib, os
poplib._MAXLINE = 100000
client = poplib.POP3('127.0.0.1', int(os.environ['PORT']))
client.user(os.environ['ACCOUNT'])
client.pass_(os.environ['PASSWORD'])
for number in range(1, client.stat()[0] + 1):
    lines = client.retr(number)[1]
    open('%06d.eml' % number, 'wb').write(b''.join(line + b'\\r\\n' for line in lines))
client.quit()
`

/** Environment for Python programs. */
export function pythonEnvironment(port: number, account: number): Record<string, string> {
  return { PORT: String(port), ACCOUNT: user(account), PASSWORD: password }
}

async function fetchByImaplib({ server, account }: Source, folder: string): Promise<Buffer[]> {
  const env = pythonEnvironment(server.ports.imap, account)
  await run('python3', ['-c', imaplibScript], { cwd: folder, env, timeoutMs: 600_000 })
  return readFolder(folder)
}

async function fetchByPoplib({ server, account }: Source, folder: string): Promise<Buffer[]> {
  const env = pythonEnvironment(server.ports.pop3, account)
  await run('python3', ['-c', poplibScript], { cwd: folder, env, timeoutMs: 600_000 })
  return readFolder(folder)
}

function curl(scheme: 'imap' | 'imaps' | 'pop3' | 'pop3s'): Fetcher['fetch'] {
  return async ({ server, account, count }, folder) => {
    const path = scheme.startsWith('imap') ? `INBOX;MAILINDEX=[1-${count}]` : `[1-${count}]`
    const url = `${scheme}://127.0.0.1:${server.ports[scheme]}/${path}`
    const args = ['-sS', '-k', '--user', `${user(account)}:${password}`, '-o', 'm#1.eml', url]
    await run('curl', args, { cwd: folder, timeoutMs: 600_000 })
    return readFolder(folder)
  }
}

async function fetchByMbsync({ server, account }: Source, folder: string): Promise<Buffer[]> {
  writeMbsync(folder, server, account, 'Sync Pull')
  await run('mbsync', ['-q', '-c', 'mbsyncrc', '-a'], { cwd: folder, timeoutMs: 600_000 })
  return readMaildir(join(folder, 'mail', 'INBOX')).map(message => withoutTuid(withCrlf(message)))
}

/** A message as it was before mbsync put a mark of its own at the end of the header. */
function withoutTuid(message: Buffer): Buffer {
  return Buffer.from(message.toString('latin1').replace(/^X-TUID: .{12}\r\n/m, ''), 'latin1')
}

/** Writes `mbsyncrc`: the account's INBOX on one side, the Maildir `mail/INBOX` on the other. */
export function writeMbsync(folder: string, server: Server, account: number, more: string): void {
  mkdirSync(join(folder, 'mail'), { recursive: true })
  mkdirSync(join(folder, 'state'), { recursive: true })
  writeFileSync(
    join(folder, 'mbsyncrc'),
    `IMAPAccount server
Host 127.0.0.1
Port ${server.ports.imap}
User ${user(account)}
Pass "${password}"
SSLType None
AuthMechs LOGIN

IMAPStore far
Account server

MaildirStore near
Path ${folder}/mail/
Inbox ${folder}/mail/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState ${folder}/state/
${more}
`,
  )
}

function fetchmail(protocol: 'pop3' | 'imap'): Fetcher['fetch'] {
  return async ({ server, account }, folder) => {
    const mail = deliverTo(folder)
    writeFileSync(
      join(folder, 'rc'),
      `poll 127.0.0.1 service ${server.ports[protocol]} protocol ${protocol} bad-header accept username "${user(account)}" password "${password}" is root here
fetchall keep norewrite pass8bits stripcr sslproto '' mda "${folder}/deliver"
`,
      { mode: 0o600 },
    )
    const args = [
      '-f',
      'rc',
      '-s',
      '--invisible',
      '--pidfile',
      join(folder, 'pid'),
      '-i',
      join(folder, 'ids'),
    ]
    await run('fetchmail', args, {
      cwd: folder,
      env: { FETCHMAILHOME: folder, HOME: folder },
      timeoutMs: 600_000,
    })
    return readFolder(mail)
  }
}

/** getmail misses the end of a program that ends before getmail waits for it, and hangs for a minute. */
const untilParentSleeps = "until grep -q '^State:.S' /proc/$PPID/status; do :; done"

function getmail(protocol: 'IMAP' | 'POP3'): Fetcher['fetch'] {
  return async ({ server, account }, folder) => {
    const mail = deliverTo(folder, untilParentSleeps)
    const port = protocol === 'IMAP' ? server.ports.imap : server.ports.pop3
    writeFileSync(
      join(folder, 'rc'),
      `[retriever]
type = Simple${protocol}Retriever
server = 127.0.0.1
port = ${port}
username = ${user(account)}
password = ${password}

[destination]
type = MDA_external
path = ${folder}/deliver
allow_root_commands = true

[options]
read_all = true
delete = false
delivered_to = false
received = false
verbose = 0
`,
      { mode: 0o600 },
    )
    // Its exit code tells of each message that its own parser fails on; what counts is what it has delivered.
    await attempt('getmail', ['--getmaildir', folder, '--rcfile', 'rc'], {
      cwd: folder,
      timeoutMs: 1_800_000,
    })
    return readFolder(mail)
  }
}

const rewriteScript = `
import email, glob
for name in glob.glob('*.in'):
    message = email.message_from_bytes(open(name, 'rb').read())
    try:
        text = message.as_bytes(policy=message.policy.clone(linesep='\\n'))
    except Exception:
        text = message.as_string().encode(errors='replace')
    open(name + '.eml', 'wb').write(b'Return-Path: <>\\n' + text)
`

/** getmail parses each message by Python's email package and writes it anew; so does this. */
async function rewriteByPython(messages: readonly Buffer[], folder: string): Promise<Buffer[]> {
  for (const [at, message] of messages.entries()) writeFileSync(join(folder, `${at}.in`), message)
  await run('/usr/bin/python3', ['-c', rewriteScript], { cwd: folder })
  return readFolder(folder)
}

/** Makes a delivery program, `deliver`, that writes each message into the folder that is given back. */
function deliverTo(folder: string, afterwards = 'exit 0'): string {
  const mail = join(folder, 'mail')
  mkdirSync(mail)
  writeFileSync(join(folder, 'deliver'), `#!/bin/sh\ncat > "${mail}/$$.$(date +%s%N).eml"\n${afterwards}\n`)
  chmodSync(join(folder, 'deliver'), 0o755)
  return mail
}

function readFolder(folder: string): Buffer[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.eml'))
    .map(name => readFileSync(join(folder, name)))
}

/** Every message of a Maildir. */
export function readMaildir(folder: string): Buffer[] {
  return ['cur', 'new']
    .map(name => join(folder, name))
    .filter(existsSync)
    .flatMap(part => readdirSync(part).map(name => readFileSync(join(part, name))))
}
