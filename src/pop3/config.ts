// POP3's options. The documentation is made from these descriptions.
import { z } from 'zod'

const minuteMs = 60_000

export const pop3Config = z
  .strictObject({
    mailbox: z.string().min(1).default('INBOX').describe('The mailbox that POP3 shows; POP3 knows only one.'),
    deleteAfterRetrieval: z
      .boolean()
      .default(false)
      .describe(
        'Remove what a client has retrieved when it says QUIT, asked for or not, and announce EXPIRE 0 (RFC 1939 §8). Off: messages stay until a client deletes them.',
      ),
    expireDays: z
      .int()
      .min(1)
      .max(36_500)
      .nullable()
      .default(null)
      .describe(
        'Remove read messages that have been kept this many days when a client says QUIT, and announce it with EXPIRE (RFC 2449 §6.7); null for never.',
      ),
    loginDelaySeconds: z
      .int()
      .min(0)
      .max(86_400)
      .default(0)
      .describe(
        'Least time between two log-ins of one account, announced with LOGIN-DELAY (RFC 2449 §6.5); 0 for none.',
      ),
    markSeen: z
      .boolean()
      .default(true)
      .describe('Whether a message that a POP3 client has retrieved is \\Seen for IMAP after QUIT.'),
    utf8Headers: z
      .enum(['as-is', 'surrogate', 'refuse'])
      .default('as-is')
      .describe(
        'What a client that has not said UTF8 gets of a message with raw UTF-8 in its header: the message as it is, like everywhere else; a copy with an ASCII header, whose size differs from what LIST says; or -ERR [UTF8]. RFC 6856 §2.1 asks for one of the last two; the first keeps every byte, and much old mail has such headers without meaning to.',
      ),
    idleTimeoutMs: z
      .int()
      .min(10 * minuteMs)
      .default(10 * minuteMs)
      .describe('How long a client may be silent, in milliseconds. At least 10 minutes (RFC 1939 §3).'),
    loginTimeoutMs: z
      .int()
      .min(1000)
      .default(2 * minuteMs)
      .describe('How long a client may take to log in, in milliseconds.'),
    language: z
      .enum(['en', 'de', 'fr', 'es', 'ja'])
      .default('en')
      .describe('The language that LANG * means (RFC 6856 §3.2).'),
  })
  .prefault({})

export type Pop3Config = z.infer<typeof pop3Config>
