// Options of the outgoing queue. The documentation of the configuration is made of these.
import { z } from 'zod'

const smarthostSchema = z.strictObject({
  host: z.string().min(1).describe('Its name or IP address.'),
  port: z.int().min(1).max(65_535).default(587).describe('Its port.'),
  tls: z
    .enum(['implicit', 'required', 'opportunistic', 'none'])
    .default('required')
    .describe(
      'TLS from the first byte (port 465), by STARTTLS with a verified certificate, by STARTTLS if it is offered, or none.',
    ),
  user: z.string().min(1).optional().describe('The name to log in with.'),
  password: z.string().min(1).optional().describe('The password to log in with.'),
})

export const queueConfigSchema = z
  .strictObject({
    outbound: z
      .enum(['direct', 'smarthost', 'none'])
      .default('direct')
      .describe(
        'How mail for other domains leaves: to the servers of each domain, all through `smarthost`, or not at all (it waits).',
      ),
    smarthost: smarthostSchema
      .optional()
      .describe('The server that takes all outgoing mail when `outbound` is `smarthost`.'),
    retryMinutes: z
      .array(z.number().positive())
      .min(1)
      .default([2, 5, 10, 20, 40, 60, 120, 240])
      .describe('Minutes to wait after each failed attempt; the last one is repeated.'),
    jitter: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('By how much of itself each wait is made longer or shorter at random.'),
    expireHours: z
      .number()
      .positive()
      .default(120)
      .describe(
        'After this long a message is given up and its sender told (RFC 5321 §4.5.4.1: 4 to 5 days).',
      ),
    delayNoticeHours: z
      .number()
      .positive()
      .nullable()
      .default(4)
      .describe('After this long the sender is told of the delay; null for never.'),
    concurrency: z.int().min(1).max(1000).default(20).describe('Messages that are on their way at a time.'),
    perDomain: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe('Messages that are on their way to one domain at a time.'),
    historyDays: z
      .number()
      .min(0)
      .default(14)
      .describe('How long the attempts of messages that have left are kept for whoever asks.'),
    returnedBytes: z
      .int()
      .min(0)
      .default(256 * 1024)
      .describe('A larger message is returned in a report without its body.'),
  })
  .describe('The outgoing queue.')
  .refine(config => config.outbound !== 'smarthost' || config.smarthost !== undefined, {
    message: '`smarthost` must say which server, for `outbound` is "smarthost"',
    path: ['smarthost'],
  })

export type QueueConfig = z.output<typeof queueConfigSchema>
