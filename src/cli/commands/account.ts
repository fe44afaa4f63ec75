// account add|list|show|passwd|remove|quota|disable|enable
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { parseAddress } from '../../account/address.ts'
import { createAccount, type Directory, updateAccount } from '../../account/directory.ts'
import { removeAccount } from '../../account/remove-account.ts'
import { setPassword } from '../../account/set-password.ts'
import { type AccountRow, listAccounts } from '../../store/read/account.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext } from '../command.ts'
import { formatBytes, formatTime, parseSize, printable } from '../output.ts'
import { readAll, readPassword } from '../read-input.ts'
import { getAccount, getPerson, onStore } from '../target.ts'

interface AddOptions {
  readonly passwordStdin?: boolean
  readonly from?: string
  readonly name?: string
  readonly admin?: boolean
  readonly shared?: boolean
  readonly quota?: string
  /** False with --no-password. */
  readonly password: boolean
}

/** Makes one account, or those of a file. */
export async function addAccount(
  context: CommandContext,
  address: string | undefined,
  options: AddOptions,
): Promise<void> {
  if (options.from !== undefined) {
    if (address !== undefined) throw new CliError('give an address or --from, not both', { exitCode: 2 })
    await addFrom(context, options.from, options)
    return
  }
  if (address === undefined)
    throw new CliError('which address? restante account add ann@example.org', { exitCode: 2 })
  const password =
    options.password && options.shared !== true
      ? await readPassword(context.terminal, options.passwordStdin === true)
      : undefined
  const row = await onStore(context, { mayCreate: true }, async target => {
    await addOne(context, lenient(target.directory), address, password, options)
    return getAccount(target, address)
  })
  context.output.result(shown(row), `account ${row.address} made`)
}

/** One line of a file of accounts. The password is what follows the first colon, and may hold more of them. */
async function addFrom(context: CommandContext, file: string, options: AddOptions): Promise<void> {
  const { terminal, output } = context
  const stream = file === '-' ? terminal.stdin : createReadStream(resolve(terminal.cwd, file))
  const lines = (await readAll(stream)).split(/\r?\n/)
  const added: string[] = []
  const problems: { line: number; message: string }[] = []
  await onStore(context, { mayCreate: true }, async target => {
    const directory = lenient(target.directory)
    const work: (() => Promise<void>)[] = []
    /** Of an address that several lines name the first one counts. */
    const latest = new Map<string, Promise<unknown>>()
    for (const [index, line] of lines.entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue
      const colon = line.indexOf(':')
      const fail = (message: string) => void problems.push({ line: index + 1, message })
      if (colon < 1 || colon === line.length - 1) {
        fail('expected ADDRESS:PASSWORD')
        continue
      }
      const address = line.slice(0, colon).trim()
      const known = parseAddress(address, directory.config.addressing)?.address ?? address
      work.push(async () => {
        const before = latest.get(known)
        const adding = Promise.resolve(before).then(() =>
          addOne(context, directory, address, line.slice(colon + 1), options),
        )
        latest.set(
          known,
          adding.catch(() => {}),
        )
        try {
          await adding
          added.push(address)
        } catch (error) {
          fail((error as Error).message)
        }
      })
    }
    await atOnce(work, directory.config.login.hash.concurrency)
  })
  problems.sort((a, b) => a.line - b.line)
  for (const { line, message } of problems) output.note(`${file}:${line}: ${message}`)
  output.result(
    { added, problems },
    `${added.length} accounts made${problems.length > 0 ? `, ${problems.length} lines not` : ''}`,
  )
  if (problems.length > 0) process.exitCode = 1
}

/** Runs work, `count` pieces at a time. */
async function atOnce(work: readonly (() => Promise<void>)[], count: number): Promise<void> {
  const next = work.values()
  const worker = async () => {
    for (const piece of next) await piece()
  }
  await Promise.all(Array.from({ length: count }, worker))
}

async function addOne(
  { output }: CommandContext,
  directory: Directory,
  address: string,
  password: string | undefined,
  { name, admin, shared, quota }: AddOptions,
): Promise<void> {
  const quotaBytes = quota === undefined ? undefined : readSize(quota)
  if (password !== undefined && password.length < 8) {
    output.note(`warning: the password of ${printable(address)} has fewer than 8 characters`)
  }
  await createAccount(directory, {
    address,
    createDomain: true,
    ...(password !== undefined && { password }),
    ...(name !== undefined && { displayName: name }),
    ...(admin === true && { isAdmin: true }),
    ...(shared === true && { kind: 'shared' as const }),
    ...(typeof quotaBytes === 'number' && { quotaBytes }),
  })
}

/** The least length of a password binds users, not the administrator at the shell, who is warned. */
function lenient(directory: Directory): Directory {
  const { config } = directory
  return { ...directory, config: { ...config, login: { ...config.login, minPasswordCharacters: 1 } } }
}

/** Lists all. */
export async function listAllAccounts(context: CommandContext): Promise<void> {
  const rows = await onStore(context, { mayCreate: false }, async ({ store }) => {
    const all: AccountRow[] = []
    for (;;) {
      const page = await listAccounts(store.reader, all.at(-1)?.address)
      all.push(...page)
      if (page.length === 0) return all
    }
  })
  context.output.table(
    rows.map(shown),
    [
      { key: 'address', title: 'ADDRESS' },
      { key: 'displayName', title: 'NAME' },
      { key: 'state', title: 'STATE' },
      { key: 'kind', title: 'KIND' },
      { key: 'isAdmin', title: 'ADMIN', format: value => (value === true ? 'yes' : '') },
      { key: 'usedMessages', title: 'MESSAGES', align: 'right' },
      { key: 'usedBytes', title: 'SIZE', align: 'right', format: formatBytes },
      { key: 'quotaBytes', title: 'QUOTA', align: 'right', format: formatBytes },
    ],
    'no accounts yet: restante account add ann@example.org',
  )
}

function shown(row: AccountRow): Record<string, unknown> {
  return { ...row, quotaBytes: row.quotaBytes ?? null, quotaMessages: row.quotaMessages ?? null }
}

/** Shows one. */
export async function showAccount(context: CommandContext, address: string): Promise<void> {
  const row = await onStore(context, { mayCreate: false }, target => getAccount(target, address))
  context.output.result(
    shown(row),
    [
      `address   ${row.address}`,
      `name      ${printable(row.displayName) || '-'}`,
      `kind      ${row.kind}`,
      `state     ${row.state}`,
      `admin     ${row.isAdmin ? 'yes' : 'no'}`,
      `messages  ${row.usedMessages} of ${row.quotaMessages ?? 'the default'}`,
      `size      ${formatBytes(row.usedBytes)} of ${row.quotaBytes === undefined ? 'the default' : formatBytes(row.quotaBytes)}`,
      `made      ${formatTime(row.createdAt)}`,
    ].join('\n'),
  )
}

/** Sets another password. */
export async function changePassword(
  context: CommandContext,
  address: string,
  { passwordStdin }: { readonly passwordStdin?: boolean },
): Promise<void> {
  const password = await readPassword(context.terminal, passwordStdin === true)
  await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getPerson(target, address)
    await setPassword(lenient(target.directory), id, password)
  })
  context.output.result(
    { address },
    `password of ${address} changed; log-ins with the old one fail from now on`,
  )
}

/** Removes one with all its mail. */
export async function removeOneAccount(
  context: CommandContext,
  address: string,
  { yes }: { readonly yes?: boolean },
): Promise<void> {
  await onStore(context, { mayCreate: false }, async target => {
    const row = await getAccount(target, address)
    if (yes !== true) {
      throw new CliError(
        `this removes ${row.address} with ${row.usedMessages} messages (${formatBytes(row.usedBytes)}) for good: say so with --yes`,
        { exitCode: 2 },
      )
    }
    await removeAccount(target.store, row.id)
  })
  context.output.result({ address }, `account ${address} removed`)
}

/** Shows or changes what it may hold. */
export async function changeQuota(
  context: CommandContext,
  address: string,
  size: string | undefined,
  { messages }: { readonly messages?: string },
): Promise<void> {
  const quotaBytes = size === undefined ? undefined : readSize(size)
  const quotaMessages = messages === undefined ? undefined : readCount(messages)
  const row = await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, address)
    if (quotaBytes !== undefined || quotaMessages !== undefined) {
      await updateAccount(target.directory, { account: id, quotaBytes, quotaMessages })
    }
    return getAccount(target, address)
  })
  context.output.result(
    {
      address: row.address,
      quotaBytes: row.quotaBytes ?? null,
      quotaMessages: row.quotaMessages ?? null,
      usedBytes: row.usedBytes,
      usedMessages: row.usedMessages,
    },
    `${row.address}: ${formatBytes(row.usedBytes)} of ${row.quotaBytes === undefined ? 'the default' : formatBytes(row.quotaBytes)}, ${row.usedMessages} messages of ${row.quotaMessages ?? 'the default'}`,
  )
}

/** Bytes; null for the server's default. Throws CliError. */
function readSize(text: string): number | null {
  const size = text === 'default' ? null : parseSize(text)
  if (size === undefined)
    throw new CliError(`"${text}" is no size: write 500MB, 2GB or default`, { exitCode: 2 })
  return size
}

function readCount(text: string): number | null {
  if (text === 'default' || text === 'none') return null
  if (!/^\d{1,12}$/.test(text))
    throw new CliError(`"${text}" is no number: write 100000 or default`, { exitCode: 2 })
  return Number(text)
}

/** Lets nobody log in. */
export function disableAccount(context: CommandContext, address: string): Promise<void> {
  return changeState(context, address, 'disabled')
}

/** Lets its owner log in again. */
export function enableAccount(context: CommandContext, address: string): Promise<void> {
  return changeState(context, address, 'active')
}

async function changeState(
  context: CommandContext,
  address: string,
  state: 'active' | 'disabled',
): Promise<void> {
  await onStore(context, { mayCreate: false }, async target => {
    const { id } = await getAccount(target, address)
    await updateAccount(target.directory, { account: id, state })
  })
  context.output.result({ address, state }, `account ${address} is ${state}`)
}
