// The store that a command works on: through the server that runs on it, or, when none runs, opened by the command itself.
import { existsSync } from 'node:fs'
import type { Directory } from '../account/directory.ts'
import type { AccountRow } from '../store/read/account.ts'
import type { Store } from '../store/store.ts'
import type { Config } from '../server/config.ts'
import type { ControlClient } from '../server/control-client.ts'
import { CliError } from './cli-error.ts'
import type { CommandContext } from './command.ts'

export interface Target {
  readonly config: Config
  readonly store: Store
  readonly directory: Directory
  /** Where a server runs on the store. */
  readonly control: ControlClient | undefined
}

/** Runs `work` on the store and closes it. `mayCreate`: a store that is not there is made. */
export async function onStore<Result>(
  context: CommandContext,
  { mayCreate }: { readonly mayCreate: boolean },
  work: (target: Target) => Promise<Result>,
): Promise<Result> {
  const config = await context.config()
  if (!mayCreate && config.store.url === undefined && !existsSync(config.dataDir)) {
    throw new CliError(
      `there is no store at ${config.dataDir}: name its folder with --data, or begin with  restante account add`,
    )
  }
  const { openCommandStore } = await import('../server/command-store.ts')
  const { openDirectory } = await import('../account/directory.ts')
  const { withLiveDefaultDomain } = await import('../server/default-domain.ts')
  const { systemClock } = await import('../base/clock.ts')
  const { store, control } = await openCommandStore(config)
  try {
    const live = withLiveDefaultDomain(config, store.reader, systemClock)
    return await work({ config: live, store, directory: openDirectory(store, live), control })
  } finally {
    await store.close()
    control?.close()
  }
}

/** The account that `address` names. Throws CliError when there is none. */
export async function getAccount(target: Target, address: string): Promise<AccountRow> {
  const { findAccountByName } = await import('../account/directory.ts')
  const found = await findAccountByName(target.directory, address)
  if (found) return found
  const { listAccounts } = await import('../store/read/account.ts')
  const { findNearest } = await import('../server/nearest.ts')
  const others = (await listAccounts(target.store.reader)).map(account => account.address)
  const nearest = findNearest(address, others)
  throw new CliError(
    `there is no account ${address}${nearest === undefined ? ': restante account list shows them' : `; did you mean ${nearest}?`}`,
  )
}

/** The account of somebody who logs in. Throws CliError where there is none, and for a shared one. */
export async function getPerson(target: Target, address: string): Promise<AccountRow> {
  const found = await getAccount(target, address)
  if (found.kind === 'shared')
    throw new CliError(
      `nobody logs in as ${found.address}: it is shared; restante acl set gives people rights to it`,
    )
  return found
}
