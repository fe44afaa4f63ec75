// The server that foreign clients are driven against: Restante in a child process, or Debian's Dovecot where
// RESTANTE_E2E=dovecot, which is how these tests themselves are tested.
import type { TestContext } from 'node:test'
import { startDovecot } from '../../bench/dovecot.ts'
import { ImapClient } from '../../bench/imap-client.ts'
import { restante, startRestante } from '../../bench/restante.ts'
import { password, type Server, user } from '../../bench/server.ts'

/** How many accounts the server of a test has: user(0) to user(5). */
const accounts = 6

/** Whether the tests run against Dovecot, which has neither SMTP nor `import`. */
export const isDovecot = process.env['RESTANTE_E2E'] === 'dovecot'

/** The reason to skip what only Restante has. */
export const onlyRestante = isDovecot ? 'Dovecot has no SMTP and no import' : false

/** Starts the server and stops it when the test ends. */
export async function startServer(context: TestContext): Promise<Server> {
  const server = isDovecot ? await startDovecot(accounts) : await startRestante(accounts)
  context.after(() => server.stop())
  return server
}

/** A connection that has logged in to an account. */
export function login(server: Server, account: number): Promise<ImapClient> {
  return ImapClient.login({ port: server.ports.imap }, user(account), password)
}

/** Puts messages into a mailbox by APPEND. */
export async function append(
  server: Server,
  account: number,
  mailbox: string,
  messages: readonly Buffer[],
): Promise<void> {
  const client = await login(server, account)
  if (mailbox !== 'INBOX') await client.ask(`CREATE "${mailbox}"`)
  for (const message of messages) await client.append(mailbox, [message])
  await client.logout()
}

/** Runs a command of the program on the data of a running Restante. */
export async function restanteOf(server: Server, args: readonly string[]): Promise<string> {
  if (server.folder === undefined) throw new Error('not Restante')
  return restante(server.folder, args)
}
