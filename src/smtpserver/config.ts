// Options of receiving, submission and LMTP. The documentation of the configuration is made of these.
import { z } from 'zod'
import { parseNetwork } from '../net/ip.ts'

const network = z.string().refine(isNetwork, 'must be an IP address or a network such as 10.0.0.0/8')

export const smtpServerConfigSchema = z
  .strictObject({
    maxMessageBytes: z
      .int()
      .min(1024)
      .max(1024 * 1024 * 1024)
      .default(50 * 1024 * 1024)
      .describe('Largest message that is taken, in bytes.'),
    trustedNetworks: z
      .array(network)
      .default([])
      .describe('Machines that may send to anywhere without a log-in, such as a web server of yours.'),
    lmtpNetworks: z
      .array(network)
      .default([])
      .describe('Machines, besides this one, that may deliver by LMTP.'),
    bareNewlines: z
      .enum(['refuse', 'mend'])
      .default('refuse')
      .describe(
        'What becomes of mail from outside with a CR or LF that is not part of a CRLF: refuse it (RFC 5321 §2.3.8) or make it a CRLF. Submission always mends. Neither ends a message.',
      ),
    greetingDelayMs: z
      .int()
      .min(0)
      .max(30_000)
      .default(500)
      .describe(
        'How long a client from another machine is kept waiting for the greeting on the receiving port; one that talks meanwhile is a spammer and is refused.',
      ),
    commandTimeoutSeconds: z
      .int()
      .min(1)
      .default(300)
      .describe('Silence after which a client is sent away (RFC 5321 §4.5.3.2.7).'),
    dataTimeoutSeconds: z
      .int()
      .min(1)
      .default(180)
      .describe('Silence within a message after which a client is sent away (RFC 5321 §4.5.3.2.5).'),
    sender: z
      .enum(['own', 'any'])
      .default('own')
      .describe('The envelope senders a user may use: addresses and aliases of the account, or any.'),
    authOnReceivingPort: z
      .boolean()
      .default(false)
      .describe('Offer log-in on the receiving port (25) too. Submission has ports of its own.'),
    showSubmitter: z
      .boolean()
      .default(false)
      .describe('Whether the address of who submits a message is written into its Received field.'),
    overQuota: z
      .enum(['later', 'never'])
      .default('later')
      .describe(
        'The answer for a mailbox that is full: 452 4.2.2, so that the sender tries again for some days, or 552 5.2.2.',
      ),
  })
  .describe('Receiving mail by SMTP and LMTP, and submission.')

export type SmtpServerConfig = z.output<typeof smtpServerConfigSchema>

function isNetwork(text: string): boolean {
  try {
    parseNetwork(text)
    return true
  } catch {
    return false
  }
}
