// demo: a server on the loopback with two accounts and mail in them. Nothing leaves the machine.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../server/config.ts'
import { type DoorName, formatListenAddress, type Listen } from '../../server/listen.ts'
import { runServer } from '../../server/run-server.ts'
import type { CommandContext } from '../command.ts'
import { demoAccounts, fillStore } from '../demo/fill-store.ts'
import { findFreePort } from '../demo/free-port.ts'
import { demoDomain } from '../demo/people.ts'

const wishedPorts: Readonly<Partial<Record<DoorName, number>>> = {
  imap: 1143,
  imaps: 1993,
  pop3: 1110,
  pop3s: 1995,
  smtp: 1025,
  submission: 1587,
  submissions: 1465,
  http: 8080,
}

const drainMs = 2000

/** Runs until Ctrl-C; a folder of its own is removed at the end. */
export async function demo(context: CommandContext, { keep }: { readonly keep?: boolean }): Promise<void> {
  const isTemporary = context.options.data === undefined && keep !== true
  const ownFolder =
    context.options.data === undefined ? await mkdtemp(join(tmpdir(), 'restante-demo-')) : undefined
  try {
    const config = await demoConfig(context, ownFolder)
    const count = await fillStore(config)
    process.exitCode = await runServer({
      readConfig: () => config,
      print: () => {},
      env: context.terminal.env,
      json: false,
      onReady(supervisor) {
        announce(context, config, supervisor.addresses, isTemporary, count)
        return Promise.resolve()
      },
    })
  } finally {
    if (isTemporary && ownFolder !== undefined) await rm(ownFolder, { recursive: true, force: true })
  }
}

/** Whatever the configuration says: the loopback only, and no mail to anywhere else. */
async function demoConfig(context: CommandContext, ownFolder: string | undefined): Promise<Config> {
  const config = await context.config()
  const taken = new Set<number>()
  const listen: Partial<Record<DoorName, Listen[DoorName]>> = {}
  for (const [door, wished] of Object.entries(wishedPorts)) {
    const port = await findFreePort(wished, taken)
    taken.add(port)
    listen[door as DoorName] = [{ kind: 'tcp', host: '127.0.0.1', port }]
  }
  return {
    ...config,
    hostname: 'localhost',
    dataDir: ownFolder ?? config.dataDir,
    store: { ...config.store, url: undefined },
    listen: listen as Listen,
    tls: { certificates: [] },
    log: { level: config.log.level === 'info' ? 'warn' : config.log.level, format: config.log.format },
    stop: { drainMs, unreadyMs: 0 },
    addressing: { ...config.addressing, defaultDomain: demoDomain },
    queue: { ...config.queue, outbound: 'direct' },
    isIsolated: true,
  }
}

function announce(
  context: CommandContext,
  config: Config,
  listen: Listen,
  isTemporary: boolean,
  count: number,
): void {
  const value = {
    accounts: demoAccounts,
    listen: Object.fromEntries(
      Object.entries(listen).map(([door, addresses]) => [door, addresses.map(formatListenAddress)]),
    ),
    dataDir: config.dataDir,
    isTemporary,
    messages: count,
  }
  const port = (door: DoorName) => {
    const address = listen[door]?.[0]
    return address?.kind === 'tcp' ? String(address.port) : '-'
  }
  const [first] = demoAccounts
  const lines = [
    '',
    'Restante is running, for this machine only. Nothing that you send leaves it.',
    '',
    '  Server      127.0.0.1 (the same for reading and sending)',
    `  IMAP        port ${port('imaps')} with TLS, or ${port('imap')} with STARTTLS or none`,
    `  POP3        port ${port('pop3s')} with TLS, or ${port('pop3')} with STARTTLS or none`,
    `  Sending     port ${port('submissions')} with TLS, or ${port('submission')} with STARTTLS or none`,
    `  From other servers (SMTP)  port ${port('smtp')}`,
    '',
    ...demoAccounts.map(({ address, password }) => `  User        ${address}   password  ${password}`),
    '',
    '  The certificate is self-signed, so the mail program asks about it once.',
    `  In short:   curl "imap://127.0.0.1:${port('imap')}/INBOX;UID=1" -u ${first?.address}:${first?.password}`,
    `  Page        http://127.0.0.1:${port('http')}/`,
    `  Data        ${config.dataDir}${isTemporary ? ' (removed at the end; --data FOLDER keeps it)' : ''}`,
    '',
    'Ctrl-C stops it.',
  ]
  context.output.result(value, lines.join('\n'))
}
