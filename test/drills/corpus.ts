// Every message of two corpora by SMTP and by `import`; every client fetches them and the hashes are those of what went in.
// The shared corpus also by APPEND, answered as Dovecot and Cyrus agree.
// node test/drills/corpus.ts [--count MESSAGES] [--server dovecot] [--fault change|lose]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDovecot } from '../../bench/dovecot.ts'
import { ImapClient } from '../../bench/imap-client.ts'
import { restante, startRestante } from '../../bench/restante.ts'
import { password, user } from '../../bench/server.ts'
import { dotStuff, SmtpClient } from '../../bench/smtp-client.ts'
import { checkCorpus } from '../e2e/corpus-wire.ts'
import { fetchByImapflow, fetchers, readMaildir, writeMbsync } from '../e2e/fetchers.ts'
import { asData, corpus, differences, withoutTrace } from '../e2e/mail.ts'
import { run } from '../e2e/program.ts'
import { sharedFolder } from '../shared.ts'
import { spamAssassinCorpus } from './corpus-mail.ts'
import { Drill } from './drill.ts'

const bySmtp = 0
const byImport = 1
const byAppend = 2

const drill = new Drill('corpus', { count: Number.POSITIVE_INFINITY, faults: ['change', 'lose'] })
const scratch = mkdtempSync(join(tmpdir(), 'drill-corpus-'))
const server = drill.serverName === 'Dovecot' ? await startDovecot(4) : await startRestante(4)
try {
  await main()
} finally {
  await server.stop()
  rmSync(scratch, { recursive: true, force: true })
}
drill.finish()

async function main(): Promise<void> {
  const shared = corpus().map(({ bytes }) => bytes)
  const spamAssassin = await spamAssassinCorpus()
  const messages = [...shared, ...spamAssassin].slice(0, drill.count)
  const bytes = messages.reduce((sum, message) => sum + message.length, 0)
  drill.say(`${shared.length} + ${spamAssassin.length} messages, ${(bytes / 1e6).toFixed(0)} MB`)
  drill.figure('messages', messages.length)

  await timed('delivered by SMTP', messages.length, () => deliver(messages))
  await timed('imported', messages.length, () => importAll(messages))
  if (drill.fault === 'lose') await removeOne()

  const delivered = await fetchByImapflow({ server, account: bySmtp, count: messages.length })
  checkDelivered(delivered, messages)
  await fetchWithAll('by SMTP', bySmtp, delivered)
  await fetchWithAll('by import', byImport, drill.fault === 'change' ? changed(messages) : messages)
  await syncTwice()
  await checkWire()
}

/** In order, 500 to a connection: a server may bound them. Dovecot, which has no SMTP, gets it by LMTP. */
async function deliver(messages: readonly Buffer[]): Promise<void> {
  const port = server.ports.smtp ?? server.ports.lmtp
  for (let from = 0; from < messages.length; from += 500) {
    const client = await SmtpClient.connect({ port }, server.ports.smtp === undefined ? 'LHLO' : 'EHLO')
    for (const [at, message] of messages.slice(from, from + 500).entries()) {
      const [reply] = await client.send('sender@example.net', [user(bySmtp)], dotStuff(message))
      if (reply?.code !== 250)
        drill.violation(`message ${from + at} was refused: ${reply?.code} ${reply?.text}`)
    }
    await client.quit()
  }
}

async function importAll(messages: readonly Buffer[]): Promise<void> {
  if (server.folder === undefined) {
    const client = await ImapClient.login({ port: server.ports.imap }, user(byImport), password)
    for (const message of messages) await client.append('INBOX', [message])
    return client.logout()
  }
  const folder = join(scratch, 'eml')
  mkdirSync(folder)
  for (const [at, message] of messages.entries()) {
    writeFileSync(join(folder, `${String(at).padStart(5, '0')}.eml`), message)
  }
  for (const expected of [`${messages.length} added`, '0 added']) {
    const printed = await restante(server.folder, [
      'import',
      'eml',
      folder,
      '--account',
      user(byImport),
      '--mailbox',
      'INBOX',
    ])
    if (!printed.includes(expected)) drill.violation(`import says ${printed.trim()} instead of ${expected}`)
  }
}

/** Each delivered message is what was sent, with nothing but trace fields before it. */
function checkDelivered(delivered: readonly Buffer[], messages: readonly Buffer[]): void {
  if (delivered.length !== messages.length)
    drill.violation(`${delivered.length} of ${messages.length} by SMTP`)
  for (const [at, message] of messages.entries()) {
    const found = delivered[at]
    if (found === undefined || withoutTrace(found, asData(message)) === undefined) {
      drill.violation(`message ${at} by SMTP is not what was sent`)
    }
  }
}

/** Every client fetches the account's INBOX. */
async function fetchWithAll(how: string, account: number, expected: readonly Buffer[]): Promise<void> {
  for (const { name, skip, exactness, fetch, cannot, rewrite } of fetchers) {
    if (skip !== false) {
      drill.say(`${name} skipped: ${skip}`)
      continue
    }
    await timed(`${name}, ${how}`, expected.length, async () => {
      const found = await fetch({ server, account, count: expected.length }, mkdtempSync(join(scratch, 'f-')))
      const able = expected.filter(message => cannot?.(message) !== true)
      const beyond = expected.length - able.length
      if (beyond > 0) drill.say(`${name} can't take ${beyond} of them by itself`)
      const wanted = (await rewrite?.(able, mkdtempSync(join(scratch, 'r-')))) ?? able
      for (const difference of differences(found, wanted, exactness, beyond)) {
        drill.violation(`${name}, ${how}: ${difference.slice(0, 500)}`)
      }
    })
  }
}

/** mbsync, twice: the second finds nothing to do. */
async function syncTwice(): Promise<void> {
  const folder = mkdtempSync(join(scratch, 'm-'))
  writeMbsync(folder, server, byImport, 'Sync All\nExpunge Both')
  const sync = () => run('mbsync', ['-q', '-c', 'mbsyncrc', '-a'], { cwd: folder, timeoutMs: 600_000 })
  await sync()
  const before = [readMaildir(join(folder, 'mail', 'INBOX')).length, await stateOf(byImport)].join()
  await sync()
  const after = [readMaildir(join(folder, 'mail', 'INBOX')).length, await stateOf(byImport)].join()
  if (before !== after) drill.violation(`the second mbsync changed ${before} to ${after}`)
  drill.say(`mbsync twice: ${after}`)
}

async function stateOf(account: number): Promise<string> {
  const client = await ImapClient.login({ port: server.ports.imap }, user(account), password)
  const { bytes } = await client.run('STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)')
  await client.logout()
  return /\(MESSAGES .*\)/.exec(bytes.toString())?.[0] ?? ''
}

async function checkWire(): Promise<void> {
  if (sharedFolder === undefined) return drill.say('the shared corpus is not here')
  const client = await ImapClient.login({ port: server.ports.imap }, user(byAppend), password)
  const wrong = await checkCorpus(client, 'corpus', sharedFolder)
  for (const text of wrong) drill.violation(text)
  drill.figure('answered other than the oracle', wrong.length)
  await client.logout()
}

/** The fault `lose`: a message goes without the drill taking note. */
async function removeOne(): Promise<void> {
  for (const account of [bySmtp, byImport]) {
    const client = await ImapClient.login({ port: server.ports.imap }, user(account), password)
    await client.run('SELECT INBOX')
    await client.run('STORE 5 +FLAGS (\\Deleted)')
    await client.run('EXPUNGE')
    await client.logout()
  }
}

/** The fault `change`: one byte of what is expected is another one. */
function changed(messages: readonly Buffer[]): Buffer[] {
  return messages.map((message, at) => {
    if (at !== 7) return message
    const copy = Buffer.from(message)
    const last = copy.length - 5
    copy[last] = (copy[last] ?? 0) ^ 1
    return copy
  })
}

async function timed(what: string, count: number, work: () => Promise<void>): Promise<void> {
  const from = performance.now()
  const before = drill.violations
  await work()
  const seconds = (performance.now() - from) / 1000
  const verdict = drill.violations === before ? 'all as sent' : `${drill.violations - before} VIOLATIONS`
  drill.say(`${what}: ${seconds.toFixed(1)} s, ${(count / seconds).toFixed(0)}/s, ${verdict}`)
}
