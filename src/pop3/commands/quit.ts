// QUIT, and with it the UPDATE state. RFC 1939 §4, §6, §8 (download and delete); RFC 2449 §6.7 (EXPIRE).
import { noArguments } from '../arguments.ts'
import { command } from '../command.ts'
import { limits } from '../../base/limits.ts'
import { seen } from '../../store/flags.ts'
import { StoreError } from '../../store/error.ts'
import type { UidRanges } from '../../store/uid-ranges.ts'
import type { Maildrop } from '../maildrop.ts'
import { expiredUids } from '../maildrop.ts'
import type { Session } from '../session.ts'

const dayMs = 86_400_000

export const quit = command({
  name: 'QUIT',
  state: 'any',
  parse: noArguments,
  async run(session) {
    const { state } = session
    if (state.kind !== 'transaction') {
      session.state = { kind: 'ended' }
      session.ok(texts => texts.goodbye)
      return
    }
    const { maildrop } = state
    let left: number | undefined
    try {
      await markSeen(session, maildrop)
      left = maildrop.total - (await remove(session, maildrop))
    } catch (error) {
      // RFC 1939 §6: the session ends either way, and what is not removed stays.
      session.context.log.warn({ account: state.identity.address, err: error as Error }, 'POP3 update failed')
    }
    session.state = { kind: 'ended' }
    // Who has this answer may log in again, at any node.
    await state.release()
    if (left === undefined) session.err('SYS/TEMP', texts => texts.notAllRemoved)
    else if (left === 0) session.ok(texts => `${texts.goodbye} (${texts.maildropEmpty})`)
    else session.ok(texts => `${texts.goodbye} (${texts.messagesLeft(left)})`)
  },
})

async function markSeen({ context }: Session, maildrop: Maildrop): Promise<void> {
  if (!context.config.pop3.markSeen || context.config.pop3.deleteAfterRetrieval) return
  const uids = maildrop.retrievedUids()
  const { account, mailbox } = maildrop
  const flags = { system: seen, keywords: [] }
  for (const some of inSteps(uids)) {
    await context.store.mutate('storeFlags', { account, mailbox, uids: some, mode: 'add', flags })
  }
}

/** RFC 1939 §6 asks for no atomic removal, and a long one would hold up everybody's mail. */
function* inSteps(uids: UidRanges): Generator<UidRanges, void, undefined> {
  const count = limits.pop3.rangesPerStep
  for (let from = 0; from < uids.length; from += count) yield uids.slice(from, from + count)
}

/** How many messages it has removed. */
async function remove({ context }: Session, maildrop: Maildrop): Promise<number> {
  const { account, mailbox } = maildrop
  const { deleteAfterRetrieval, expireDays } = context.config.pop3
  const expired = new Set<number>()
  if (expireDays !== null) {
    const snapshot = await context.store.snapshot(account, mailbox)
    for (const uid of expiredUids(snapshot, context.clock.now() - expireDays * dayMs)) expired.add(uid)
  }
  const uids = maildrop.removedUids(deleteAfterRetrieval, expired)
  await expunge(context.store, maildrop, uids)
  return maildrop.countIn(uids)
}

async function expunge(
  store: Session['context']['store'],
  { account, mailbox }: Maildrop,
  uids: UidRanges,
): Promise<void> {
  try {
    for (const some of inSteps(uids)) {
      await store.mutate('expungeMessages', { account, mailbox, uids: some, onlyDeleted: false })
    }
  } catch (error) {
    // With the mailbox, the messages are gone too.
    if (!(error instanceof StoreError) || error.code !== 'no-such-mailbox') throw error
  }
}
