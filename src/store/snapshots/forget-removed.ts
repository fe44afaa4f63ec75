// Lets go of what is held of mailboxes that are deleted. Numbers of mailboxes are not used twice, so nobody asks for one again; what another thread
// holds goes when its room is needed.
import type { MutationArgs, MutationName } from '../mutations.ts'
import type { SnapshotKey } from './build-snapshot.ts'

/** Gives `change`, and forgets the mailbox that it removes. */
export function forgetRemoved<Result>(
  snapshots: { forget(mailbox: SnapshotKey): void },
  name: MutationName,
  args: unknown,
  change: Promise<Result>,
): Promise<Result> {
  if (name !== 'deleteMailbox') return change
  return change.then(result => {
    snapshots.forget(args as MutationArgs<'deleteMailbox'>)
    return result
  })
}
