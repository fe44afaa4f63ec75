// All mechanisms, best first. RFC 4422 §3.1 (their names).
import { anonymous } from './anonymous.ts'
import { cramMd5 } from './cram-md5.ts'
import { external } from './external.ts'
import { login } from './login.ts'
import type { SaslMechanism } from './mechanism.ts'
import { oauthBearer } from './oauthbearer.ts'
import { plain } from './plain.ts'
import { scramSha1, scramSha1Plus, scramSha256, scramSha256Plus } from './scram.ts'
import { xoauth2 } from './xoauth2.ts'

export const saslMechanisms: readonly SaslMechanism[] = [
  external,
  scramSha256Plus,
  scramSha1Plus,
  scramSha256,
  scramSha1,
  oauthBearer,
  xoauth2,
  plain,
  login,
  cramMd5,
  anonymous,
]

const byName: ReadonlyMap<string, SaslMechanism> = new Map(saslMechanisms.map(each => [each.name, each]))

/** The mechanism of this name, in whatever case the client wrote it. */
export function findMechanism(name: string): SaslMechanism | undefined {
  return byName.get(name.toUpperCase())
}
