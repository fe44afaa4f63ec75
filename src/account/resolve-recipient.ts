// Where mail for an address goes: accounts, aliases, catch-all, plus addressing. RFC 5321 §3.4, §3.9, §5; RFC 5233 (detail).
import type { AccountId } from '../base/ids.ts'
import type { Reader } from '../store/store.ts'

export interface LocalRecipient {
  readonly account: AccountId
  /** The account's own address. */
  readonly address: string
  /** What stood behind the separator ('lists' in ann+lists@example.org). */
  readonly detail: string | undefined
}

export type Recipient =
  /** At least one account here; `forwards` are addresses elsewhere that get it too. */
  | {
      readonly kind: 'accounts'
      readonly accounts: readonly LocalRecipient[]
      readonly forwards: readonly string[]
    }
  /** An address of ours whose mail goes elsewhere only. */
  | { readonly kind: 'forward'; readonly forwards: readonly string[] }
  /** A domain of ours that has no such address. */
  | { readonly kind: 'unknown' }
  /** Not a domain of ours. */
  | { readonly kind: 'relay' }

export interface Addressing {
  /** Between local part and detail; '' for no plus addressing. */
  readonly separator: string
  /** For addresses without a domain (`postmaster`). */
  readonly defaultDomain: string
}

export declare function resolveRecipient(
  reader: Reader,
  address: string,
  addressing: Addressing,
): Promise<Recipient>
