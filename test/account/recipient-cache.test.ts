import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createAccount,
  createAlias,
  createDomain,
  deleteAlias,
  updateAccount,
} from '../../src/account/directory.ts'
import { RecipientCache } from '../../src/account/recipient-cache.ts'
import { removeAccount } from '../../src/account/remove-account.ts'
import { limits } from '../../src/base/limits.ts'
import { openTestDirectory } from './open-directory.ts'

const brief = async (cache: RecipientCache, address: string) => {
  const { resolved, hasQuota } = await cache.find(address)
  const where =
    resolved.kind === 'accounts'
      ? resolved.accounts.map(one => one.address).join()
      : resolved.kind === 'forward'
        ? resolved.forwards.join()
        : resolved.kind
  return hasQuota ? `${where} with a quota` : where
}

test('what is remembered is given at once, and what does not exist is not remembered', async () => {
  const directory = await openTestDirectory()
  await createAccount(directory, { address: 'ann@example.org' })
  const { recipients } = directory
  for (const address of ['ann@example.org', 'nobody@example.org', 'eve@example.net'])
    await recipients.find(address)
  assert.ok(!(recipients.find('ann@example.org') instanceof Promise))
  assert.ok(recipients.find('nobody@example.org') instanceof Promise)
  assert.ok(recipients.find('eve@example.net') instanceof Promise)
})

test('every change of the directory takes effect at once', async () => {
  const directory = await openTestDirectory()
  const { recipients } = directory
  const look = () => brief(recipients, 'ann@example.org')
  assert.equal(await look(), 'unknown')
  const ann = await createAccount(directory, { address: 'ann@example.org' })
  assert.equal(await look(), 'ann@example.org')
  await updateAccount(directory, { account: ann, quotaBytes: 1000 })
  assert.equal(await look(), 'ann@example.org with a quota')
  await createAlias(directory, 'ann@example.org', ['ann@example.net'])
  assert.equal(await look(), 'ann@example.net')
  await createDomain(directory, 'example.net')
  await createAccount(directory, { address: 'ann@example.net' })
  assert.equal(await look(), 'ann@example.net')
  await deleteAlias(directory, 'ann@example.org')
  assert.equal(await look(), 'ann@example.org with a quota')
  await removeAccount(directory.store, ann)
  assert.equal(await look(), 'unknown')
})

test('an answer that was asked for before a change is not kept after it', async () => {
  const directory = await openTestDirectory()
  await createAccount(directory, { address: 'ann@example.org' })
  const { recipients, store } = directory
  await recipients.find('ann@example.org')
  await createDomain(directory, 'other.example')
  let release = () => {}
  const held = new Promise<void>(resolve => (release = resolve))
  const slow = new RecipientCache(
    new Proxy(store, {
      get(target, key) {
        if (key === 'reader')
          return {
            ...store.reader,
            all: async (...args: Parameters<typeof store.reader.all>) => {
              const rows = await store.reader.all(...args)
              await held
              return rows
            },
            get: (...args: Parameters<typeof store.reader.get>) => store.reader.get(...args),
          }
        const value: unknown = Reflect.get(target, key, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    }),
    directory.config,
  )
  const asked = slow.find('ann@example.org')
  await createAlias(directory, 'ann@example.org', ['eve@example.net'])
  release()
  await asked
  assert.equal(await brief(slow, 'ann@example.org'), 'eve@example.net')
})

test('what nobody has changed is asked for again after a while: hints may be lost', async () => {
  const directory = await openTestDirectory()
  await createAccount(directory, { address: 'ann@example.org' })
  let nowMs = 0
  const cache = new RecipientCache(directory.store, directory.config, () => nowMs)
  await cache.find('ann@example.org')
  nowMs = limits.account.recipientCacheMs - 1
  assert.ok(!(cache.find('ann@example.org') instanceof Promise))
  nowMs++
  assert.ok(cache.find('ann@example.org') instanceof Promise)
})
