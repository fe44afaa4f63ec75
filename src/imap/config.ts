// IMAP's options. The documentation is made from these descriptions.
import { z } from 'zod'
import { languages } from './language/translate.ts'

const minute = 60_000

export const imapConfig = z
  .strictObject({
    messageBytes: z
      .int()
      .min(1024)
      .default(64 * 1024 * 1024)
      .describe(
        'The largest message that APPEND takes, in bytes; told to clients as APPENDLIMIT (RFC 7889).',
      ),
    idleTimeoutMs: z
      .int()
      .min(30 * minute)
      .default(31 * minute)
      .describe(
        'How long a logged-in client may be silent before it is logged out, in milliseconds. At least 30 minutes (RFC 9051 §5.4).',
      ),
    loginTimeoutMs: z
      .int()
      .min(1000)
      .default(2 * minute)
      .describe('How long a client may take to log in, in milliseconds.'),
    keepAliveMs: z
      .int()
      .min(1000)
      .default(2 * minute)
      .describe(
        'How often an idling client hears "Still here", in milliseconds; keeps NAT devices from forgetting it.',
      ),
    progressMs: z
      .int()
      .min(1)
      .default(10_000)
      .describe(
        'How often a client hears that its command is still being worked on, in milliseconds (RFC 9585).',
      ),
    adminContact: z
      .string()
      .regex(/^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i)
      .optional()
      .describe(
        'How to reach the administrator, as a URI such as mailto:admin@example.org; clients read it as /shared/admin (RFC 5464).',
      ),
    jmapUrl: z
      .string()
      .regex(/^https:\/\/[\x21\x23-\x7e]+$/)
      .optional()
      .describe(
        'The session resource of a JMAP server that serves the same mail, as an https URL; clients are told of it by JMAPACCESS (RFC 9698).',
      ),
    messageLimit: z
      .int()
      .min(1)
      .nullable()
      .default(1_000_000)
      .describe(
        'How many messages one FETCH, SEARCH, STORE, COPY, MOVE, APPEND or UID EXPUNGE may work on (RFC 9738 MESSAGELIMIT): of more, only the last are done, which older clients do not expect. Not below 1000. null for no limit.',
      ),
    saveLimit: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe(
        'How many messages one COPY or APPEND may store; announced as SAVELIMIT where there is no messageLimit (RFC 9738).',
      ),
    language: z
      .enum(languages)
      .default('i-default')
      .describe('The language of responses to clients that ask for the "default" one (RFC 5255 LANGUAGE).'),
    urlHosts: z
      .array(z.string().toLowerCase())
      .default([])
      .describe(
        'Names of this server beside its host name that may stand in IMAP URLs for URLAUTH (RFC 4467).',
      ),
    submissionServers: z
      .array(z.string().toLowerCase())
      .default([])
      .describe(
        'Addresses of the accounts of submission servers that may fetch URLs authorised for "submit+" (RFC 4467; BURL).',
      ),
    gmail: z
      .boolean()
      .default(false)
      .describe(
        "Announce X-GM-EXT-1, Gmail's labels, ids and searches, for migration tools and scripts. Off by default, since some mail programs then take this server for Gmail itself.",
      ),
    strictUtf8: z
      .boolean()
      .default(false)
      .describe(
        'Refuse APPEND of messages with 8-bit header fields from clients that have not enabled UTF8=ACCEPT, as RFC 6855 §4 asks. Off by default, since old mail has such fields and could not be copied here.',
      ),
    shareWithAnyone: z
      .boolean()
      .default(false)
      .describe(
        'Let every user share mailboxes with "anyone" (RFC 4314), which puts them into the list of mailboxes of everybody else. Off: administrators do, and whoever administers a shared account\'s mailbox.',
      ),
    quickFlags: z
      .boolean()
      .default(true)
      .describe(
        'Announce CONDSTORE and QRESYNC (RFC 7162). Turn off only for a client that gets them wrong.',
      ),
  })
  .prefault({})

export type ImapConfig = z.infer<typeof imapConfig>
