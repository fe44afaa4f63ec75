// The SEARCH key for a label. X-GM-EXT-1.
import type { Place } from '../fetch/email-rows.ts'
import { flagKey, keywordKey } from '../search/keys/flags.ts'
import type { SearchKey } from '../search/search-key.ts'
import type { Session } from '../session.ts'
import type { FlagLabel, Label } from './labels.ts'

/** Matches messages with a label: by their flags where it is one, else where a mailbox that holds the email `fits`. */
export function labelKey(label: Label, session: Session, fits: (place: Place) => boolean): SearchKey {
  return label.kind === 'flag' ? flagLabelKey(label) : placeKey(session, fits)
}

export function flagLabelKey({ flag }: FlagLabel): SearchKey {
  return typeof flag === 'number' ? flagKey(flag, true) : keywordKey(flag, true)
}

/** Matches messages whose email is in a mailbox that `fits`. Where else an email of another account lies is not told. */
export function placeKey(session: Session, fits: (place: Place) => boolean): SearchKey {
  return {
    kind: 'key',
    cost: 'row',
    columns: ['places'],
    bind({ view }) {
      if (view.mailbox.account !== session.account) return () => false
      return (_index, { row }) => row.places.some(fits)
    },
  }
}
