// ANONYMOUS, off unless configured. RFC 4505.
import { limits } from '../base/limits.ts'
import {
  challenge,
  failed,
  type SaslContext,
  type SaslMechanism,
  type SaslStep,
  verdict,
} from './mechanism.ts'
import { decodeUtf8 } from './prepare.ts'

export const anonymous: SaslMechanism = {
  name: 'ANONYMOUS',
  revealsSecret: false,
  needs: 'opt-in',
  start: context => ({ next: response => (response ? run(context, response) : challenge('')) }),
}

async function run<Identity>(context: SaslContext<Identity>, response: Buffer): Promise<SaslStep<Identity>> {
  // RFC 4505 §2: trace information, 255 characters at most, without control characters (its stringprep profile, §3).
  const trace = decodeUtf8(response)
  if (trace === undefined || /\p{Cc}/u.test(trace)) return failed('malformed')
  if (
    trace.length > limits.sasl.traceCharacters * 2 ||
    Array.from(trace).length > limits.sasl.traceCharacters
  ) {
    return failed('malformed')
  }
  return verdict(await context.credentials.anonymous(trace))
}
