// A store on a file system of the test's own making, with one account.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { AccountId, MailboxId } from '../../src/base/ids.ts'
import type { SegmentFileSystem } from '../../src/store/bodies/segment-files.ts'
import type { NewMessage } from '../../src/store/mutations/append-messages.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Store } from '../../src/store/store.ts'
import { addAccount, mailboxId, temporaryFolder } from './fixture.ts'

export interface OnFiles<Files extends SegmentFileSystem> {
  readonly dataDir: string
  readonly files: Files
  readonly store: Store
  readonly account: AccountId
  /** Its INBOX. */
  readonly mailbox: MailboxId
  append(...messages: NewMessage[]): Promise<unknown>
}

export async function openOnFiles<Files extends SegmentFileSystem>(
  t: TestContext,
  files: Files,
): Promise<OnFiles<Files>> {
  const dataDir = temporaryFolder(t)
  const store = await openStore({ dataDir }, { files })
  t.after(() => store.close())
  const account = await addAccount(store)
  const mailbox = await mailboxId(store, account, 'INBOX')
  const append = (...messages: NewMessage[]) => store.mutate('appendMessages', { account, mailbox, messages })
  return { dataDir, files, store, account, mailbox, append }
}

/** All of them have their bodies. */
export async function assertRead(
  store: Store,
  account: AccountId,
  messages: readonly NewMessage[],
): Promise<void> {
  for (const { body } of messages) {
    assert.ok(body.kind === 'inline')
    assert.ok((await store.readBody(account, body.hash)).equals(body.bytes))
  }
}
