// A SASL exchange of any mechanism, for all protocols. RFC 4422.
import type { Identity } from './identity.ts'
import type { Login } from './login.ts'
import type { LoginPeer } from './login-peer.ts'

/** The mechanisms that may be offered to this peer now, given TLS, loopback and configuration, best first. */
export declare function mechanisms(login: Login, peer: LoginPeer): readonly string[]

/**
 * Runs one exchange. `initialResponse` is decoded already (an empty Buffer for `=`); `ask` sends a challenge (encoding it for its protocol) and gives the
 * client's decoded answer; it throws `LoginError` `cancelled` for `*` and `malformed` for bad base64. Throws `LoginError`.
 */
export declare function authenticate(
  login: Login,
  peer: LoginPeer,
  mechanism: string,
  initialResponse: Buffer | undefined,
  ask: (challenge: Buffer) => Promise<Buffer>,
): Promise<Identity>
