// Checks who someone is. RFC 4422; RFC 9051 §6.2.
import type { Identity } from './identity.ts'
import type { LoginPeer } from './login-peer.ts'

/** One per protocol thread. */
export declare class Login {
  /** Checks a name and a password. Throws `LoginError`. */
  password(peer: LoginPeer, name: string, password: string | Buffer): Promise<Identity>
}
