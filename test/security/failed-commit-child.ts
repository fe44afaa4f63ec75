// A child process whose disk refuses to sync the write-ahead log for a while, and that is killed then: see failed-commit.test.ts.
import { rmSync, writeFileSync } from 'node:fs'
import { limits } from '../../src/base/limits.ts'
import { StoreError } from '../../src/store/error.ts'
import type { NewMessage } from '../../src/store/mutations/append-messages.ts'
import { openStore } from '../../src/store/open-store.ts'
import { addAccount, mail, mailboxId } from '../store/fixture.ts'

const [dataDir = '', failFile = '', ...steps] = process.argv.slice(2)
const store = await openStore({ dataDir })
const account = await addAccount(store)
const mailbox = await mailboxId(store, account, 'INBOX')

async function append(message: NewMessage): Promise<void> {
  try {
    await store.mutate('appendMessages', { account, mailbox, messages: [message] })
    process.stdout.write('taken\n')
  } catch (error) {
    process.stdout.write(`${error instanceof StoreError ? error.code : String(error)}\n`)
  }
}

async function large(): Promise<NewMessage> {
  const staged = store.stageBody()
  const sizeBytes = limits.store.ownSegmentBytes + 1
  await staged.write(Buffer.alloc(sizeBytes, 'L'))
  const message = mail(store)
  return { ...message, email: { ...message.email, sizeBytes }, body: await staged.finish() }
}

for (const step of steps) {
  if (step === 'fail') writeFileSync(failFile, '')
  else if (step === 'mend') rmSync(failFile)
  else if (step === 'flag') {
    const flags = { system: 1, keywords: [] }
    await store.mutate('storeFlags', { account, mailbox, uids: [[1, 1]], mode: 'add', flags })
  } else await append(step === 'large' ? await large() : mail(store, step))
}
process.kill(process.pid, 'SIGKILL')
