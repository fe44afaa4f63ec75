// A store with something in every table, for what has to carry all of it.
import { randomBytes } from 'node:crypto'
import { summarize } from '../../src/message/summary.ts'
import type { AccountId } from '../../src/base/ids.ts'
import { noFlags, seen } from '../../src/store/flags.ts'
import { allRights } from '../../src/store/rights.ts'
import type { Store } from '../../src/store/store.ts'
import { addAccount, mail, mailboxId, queued } from './fixture.ts'

/** Fills it. `messages` is how many each of the two accounts gets. */
export async function fillVaried(store: Store, messages = 60): Promise<void> {
  const accounts: AccountId[] = []
  for (const at of [1, 2]) {
    const account = await addAccount(store, { quotaBytes: 10 ** 9 * at })
    accounts.push(account)
    const inbox = await mailboxId(store, account, 'INBOX')
    const sent = await mailboxId(store, account, 'Sent')
    await store.mutate('createMailbox', { account, name: 'Archive/Ünïcode', specialUse: '\\Archive' })
    const gone = (await store.mutate('createMailbox', { account, name: 'Gone' })).mailbox
    await store.mutate('deleteMailbox', { account, mailbox: gone })
    await store.mutate('setSubscription', { account, name: 'Nothing here', subscribed: true })
    for (let count = 0; count < messages; count++) {
      const flags = { system: count % 16, keywords: count % 3 === 0 ? [`Keyword${count % 9}`, 'work'] : [] }
      const shared = count % 5 === 0 ? 'the same for both' : `${at} ${count} ${'text '.repeat(count * 10)}`
      await store.mutate('appendMessages', {
        account,
        mailbox: inbox,
        messages: [
          mail(store, shared, {
            flags,
            ...(count % 5 === 0 && { fields: ['Subject: same'] }),
            receivedAt: 10 ** 12 + count,
          }),
        ],
      })
    }
    const large = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), randomBytes(700_000)])
    const message = { body: store.bodyOf(large), email: summarize(large), flags: noFlags }
    await store.mutate('appendMessages', { account, mailbox: sent, messages: [message] })
    await store.mutate('copyMessages', { account, mailbox: inbox, uids: [[1, 7]], target: sent })
    await store.mutate('storeFlags', {
      account,
      mailbox: inbox,
      uids: [[3, 9]],
      mode: 'add',
      flags: { system: 8, keywords: ['later'] },
    })
    await store.mutate('expungeMessages', { account, mailbox: inbox, uids: [[4, 6]], onlyDeleted: true })
    await store.mutate('setAnnotations', {
      account,
      mailbox: inbox,
      entries: [{ entry: '/private/Comment', value: Buffer.from([0, 1, 255]) }],
    })
    await store.mutate('annotateMessages', {
      account,
      mailbox: inbox,
      uids: [[1, 2]],
      viewer: account,
      annotations: [{ isShared: false, entry: '/comment', value: Buffer.from('a note') }],
    })
    await store.mutate('createUrlKey', { account, mailbox: inbox, key: randomBytes(16) })
    await store.mutate('createCredential', {
      account,
      kind: 'app-password',
      name: 'phone',
      secret: 'secret',
      scopes: ['imap'],
    })
    await store.mutate('createAlias', {
      address: `alias${at}@example.org`,
      domain: 'example.org',
      targets: ['user@example.net', `other${at}@example.org`],
    })
  }
  const [account, guest] = accounts as [AccountId, AccountId]
  const place = { account, mailbox: await mailboxId(store, account, 'INBOX') }
  await store.mutate('setRights', {
    ...place,
    grantee: guest,
    isNegative: false,
    mode: 'replace',
    rights: allRights,
  })
  const flags = { system: seen, keywords: [] }
  await store.mutate('storeGuestFlags', { ...place, guest, uids: [[1, 20]], mode: 'add', flags })
  await store.mutate('createUrlKey', { ...place, guest, key: randomBytes(16) })
  await store.mutate('createSecret', { name: 'something', value: 'random' })
  await store.mutate('enqueueMessages', { messages: [queued(store)] })
}
