// EXTERNAL: who TLS says the client is. RFC 4422 appendix A.
import {
  challenge,
  failed,
  type SaslContext,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8, prepareName } from './prepare.ts'

export const external: SaslMechanism = {
  name: 'EXTERNAL',
  revealsSecret: false,
  needs: 'client-certificate',
  start: context => ({ next: response => (response ? run(context, response) : challenge('')) }),
}

async function run<Identity>(context: SaslContext<Identity>, response: Buffer): Promise<SaslStep<Identity>> {
  const text = decodeUtf8(response)
  if (text === undefined) return failed('malformed')
  // An empty authzid asks for the identity that the certificate itself names.
  const authzid = text === '' ? '' : prepareName(text)
  if (authzid === undefined || !context.clientCertificate) return failed('bad-credentials')
  return verdict(await context.credentials.verifyCertificate(authzid, context.clientCertificate))
}
