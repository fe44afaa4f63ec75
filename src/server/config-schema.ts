// The whole configuration's schema: the server's own keys and each area's. docs/configuration.md is made from it.
import { z } from 'zod'
import { accountConfigSchema } from '../account/config.ts'
import { deliveryConfigSchema } from '../delivery/config.ts'
import { imapConfig } from '../imap/config.ts'
import { pop3Config } from '../pop3/config.ts'
import { queueConfigSchema } from '../queue/config.ts'
import { smtpServerConfigSchema } from '../smtpserver/config.ts'
import { searchConfigSchema, storeConfigSchema } from '../store/config.ts'
import { parseNetwork } from '../net/ip.ts'
import { parseListenAddress } from './listen.ts'

const address = z.string().superRefine((text, context) => {
  try {
    parseListenAddress(text)
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message })
  }
})

const addresses = z
  .union([address, z.array(address)])
  .transform(value => (Array.isArray(value) ? value : [value]).map(parseListenAddress))

const door = (what: string, standard: readonly string[]) =>
  addresses
    .default(standard.map(parseListenAddress))
    .describe(
      standard.length === 0
        ? `${what} Closed unless it is given an address.`
        : `${what} Without it: ${standard.map(text => `\`${text}\``).join(', ')}; an empty list keeps it closed.`,
    )

const listen = z.strictObject({
  imap: door('IMAP, with STARTTLS.', ['*:143']),
  imaps: door('IMAP over TLS.', ['*:993']),
  pop3: door('POP3, with STLS.', ['*:110']),
  pop3s: door('POP3 over TLS.', ['*:995']),
  smtp: door('SMTP from other servers, with STARTTLS.', ['*:25']),
  submission: door('Submission by mail programs, with STARTTLS.', ['*:587']),
  submissions: door('Submission over TLS.', ['*:465']),
  lmtp: door(
    'LMTP from a mail server on this machine. Who reaches it delivers without log-in: never open it to a network you do not trust.',
    [],
  ),
  http: door('Health, metrics and the page with the settings.', ['127.0.0.1:8080']),
})

const log = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('The least weight of lines that are written. SIGHUP reads it again.'),
  format: z
    .enum(['auto', 'json', 'pretty'])
    .default('auto')
    .describe('JSON lines, or lines for people; `auto` is pretty on a terminal.'),
})

const tls = z.strictObject({
  certificates: z
    .array(
      z.strictObject({
        certFile: z.string().min(1).describe('PEM file of the certificate and its chain.'),
        keyFile: z
          .string()
          .min(1)
          .describe(
            'PEM file of its private key. The user that the server becomes must be able to read it, for reloads.',
          ),
      }),
    )
    .default([])
    .describe(
      'Certificates, chosen by the name that the client asks for; the first serves everyone else. Read again on SIGHUP and when the files change. Without any, the server makes itself a self-signed one in the data folder, fit for a laptop or a test.',
    ),
  clientCaFile: z
    .string()
    .min(1)
    .optional()
    .describe('PEM file of the authorities whose client certificates may log in (SASL EXTERNAL).'),
})

const network = z.string().superRefine((text, context) => {
  try {
    parseNetwork(text)
  } catch {
    context.addIssue({ code: 'custom', message: 'expected a network such as 10.0.0.0/8 or an address' })
  }
})

const stop = z.strictObject({
  unreadyMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(0)
    .describe(
      'How long after SIGTERM or SIGINT everything is still served while `/readyz` already says no, so that a load balancer sends nothing more before the doors close. Longer than it takes to notice.',
    ),
  drainMs: z
    .number()
    .int()
    .min(0)
    .max(600_000)
    .default(10_000)
    .describe(
      'How long sessions may take to end after SIGTERM or SIGINT; a second signal ends them at once.',
    ),
})

/** The server's own keys. */
const ownShape = {
  hostname: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, 'expected a host name such as mail.example.org')
    .optional()
    .describe(
      'The name that the server greets with, and that its certificate is for. Without it: the name of the machine.',
    ),
  dataDir: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The folder of the store. Without it: `$RESTANTE_DATA`, else `/var/lib/restante` for root, else `restante` in `$XDG_DATA_HOME` (`~/.local/share`). A relative path is relative to this file.',
    ),
  threads: z
    .number()
    .int()
    .min(0)
    .max(256)
    .optional()
    .describe(
      'Threads that serve connections; 0 does everything in one. Without it: one per processor, at most 4.',
    ),
  user: z
    .string()
    .min(1)
    .optional()
    .describe('The user to become, when started as root, once the ports are open. See docs/operating.md.'),
  group: z.string().min(1).optional().describe('The group to become; without it the main group of `user`.'),
  proxyNetworks: z
    .array(network)
    .default([])
    .describe(
      'Networks of load balancers such as HAProxy that say with the PROXY protocol (version 1 or 2) where a connection comes from. From these every connection to a mail port has to begin so; from others none may.',
    ),
  listen: listen.prefault({}).describe('Where each protocol listens.'),
  tls: tls.prefault({}).describe('Certificates.'),
  log: log.prefault({}).describe('The log, on standard error.'),
  stop: stop.prefault({}).describe('How the server ends.'),
} as const

/** Every key. */
export const configSchema = z.strictObject({
  ...ownShape,
  store: storeConfigSchema,
  search: searchConfigSchema,
  ...accountConfigSchema.shape,
  imap: imapConfig.describe('IMAP.'),
  pop3: pop3Config.describe('POP3.'),
  smtp: smtpServerConfigSchema.prefault({}),
  delivery: deliveryConfigSchema.prefault({}),
  queue: queueConfigSchema.prefault({}),
})

export type ConfigInput = z.input<typeof configSchema>
export type ConfigOutput = z.output<typeof configSchema>
