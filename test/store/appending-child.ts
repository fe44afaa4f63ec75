// A child process that appends for ever and says what was acknowledged; its parent kills it.
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import { openStore } from '../../src/store/open-store.ts'
import { mail } from './fixture.ts'

const [dataDir = '', account = '', mailbox = '', run = ''] = process.argv.slice(2)
const store = await openStore({ dataDir })

async function appendForEver(worker: number): Promise<void> {
  for (let i = 0; ; i++) {
    const message = mail(store, `${run} ${worker} ${i} `.repeat(100), {
      fields: [`Subject: ${run}-${worker}-${i}`],
    })
    const { uids } = await store.mutate('appendMessages', {
      account: Number(account) as AccountId,
      mailbox: Number(mailbox) as MailboxId,
      messages: [message],
    })
    process.stdout.write(`${uids[0]} ${message.body.hash}\n`)
    if (i % 5 === 4) {
      await store.mutate('expungeMessages', {
        account: Number(account) as AccountId,
        mailbox: (Number(mailbox) + 1) as MailboxId,
        onlyDeleted: false,
      })
      await store.maintain()
    }
  }
}

await Promise.all([0, 1, 2, 3].map(appendForEver))
