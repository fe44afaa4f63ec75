// Who has logged in.
import type { AccountId } from '../base/ids.ts'
import type { CredentialRow } from '../store/read/credential.ts'
import type { Scope } from './scope.ts'

/** The account that a session acts for, as it was when the log-in was checked. */
export interface Identity {
  readonly account: AccountId
  /** The account's own address, normalised. */
  readonly address: string
  readonly isAdmin: boolean
  /** What the credential may be used for; all of them for the account's own password. */
  readonly scopes: readonly Scope[]
  /** Whoever came by ANONYMOUS (RFC 4505): may read, nothing else. */
  readonly isAnonymous?: true
  /** The administrator who acts for this account (SASL authzid), where that is so. */
  readonly actingAdmin?: string
  /** Whose log-in it was, and by what. While that is there the session may go on. */
  readonly proof?: Proof
}

export interface Proof {
  /** The account that was proved to be there: the administrator's where one acts for another. */
  readonly account: AccountId
  /** Undefined for tokens and certificates, which this server does not keep. */
  readonly credential?: Pick<CredentialRow, 'kind' | 'name' | 'createdAt'> | undefined
}
