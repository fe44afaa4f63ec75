// queue list|show|retry|hold|release|drop
import type { QueueAction } from '../../store/mutations/steer-queue.ts'
import type { QueueMessage, QueueRecipient } from '../../store/queue-message.ts'
import { findQueueMessage, listAttempts, listQueue as readQueue } from '../../store/read/queue.ts'
import { CliError } from '../cli-error.ts'
import type { CommandContext, Run } from '../command.ts'
import { formatBytes, formatTime, printable } from '../output.ts'
import { onStore } from '../target.ts'

/** Lists what waits, a line for each recipient. */
export async function listQueue(context: CommandContext): Promise<void> {
  const messages = await onStore(context, { mayCreate: false }, async ({ store }) => {
    const all: QueueMessage[] = []
    for (;;) {
      const page = await readQueue(store.reader, all.at(-1)?.id)
      if (page.length === 0) return all
      all.push(...page)
    }
  })
  const rows = messages.flatMap(message =>
    message.recipients.filter(isPending).map(recipient => rowOf(message, recipient)),
  )
  context.output.table(
    rows,
    [
      { key: 'id', title: 'ID', align: 'right' },
      { key: 'state', title: 'STATE' },
      { key: 'createdAt', title: 'SINCE', format: formatTime },
      { key: 'dueAt', title: 'NEXT', format: formatTime },
      { key: 'sizeBytes', title: 'SIZE', align: 'right', format: formatBytes },
      { key: 'mailFrom', title: 'FROM' },
      { key: 'recipient', title: 'TO' },
      { key: 'last', title: 'LAST' },
    ],
    'the queue is empty',
  )
}

function isPending({ state }: QueueRecipient): boolean {
  return state === 'waiting' || state === 'held'
}

function rowOf(message: QueueMessage, recipient: QueueRecipient): Record<string, unknown> {
  const { last } = recipient
  return {
    id: message.id,
    state: recipient.state,
    createdAt: message.createdAt,
    dueAt: recipient.dueAt,
    sizeBytes: message.bodyBytes,
    mailFrom: message.mailFrom === '' ? '<>' : message.mailFrom,
    recipient: recipient.address,
    attempts: recipient.attempts,
    last: last === undefined ? '' : `${last.code || ''} ${last.status} ${last.text}`.trim(),
  }
}

/** Shows one message with every attempt. */
export async function showQueueMessage(context: CommandContext, id: string): Promise<void> {
  const number = readId(id)
  const found = await onStore(context, { mayCreate: false }, async ({ store }) => {
    const message = await findQueueMessage(store.reader, number)
    return message && { message, attempts: await listAttempts(store.reader, number) }
  })
  if (!found) throw new CliError(`there is no message ${id} in the queue or its history: restante queue list`)
  const { message, attempts } = found
  const lines = [
    `from      ${message.mailFrom === '' ? '<>' : printable(message.mailFrom)}`,
    `since     ${formatTime(message.createdAt)}, given up at ${formatTime(message.expiresAt)}`,
    `size      ${formatBytes(message.bodyBytes)}`,
    ...message.recipients.map(({ address, state }) => `to        ${printable(address)}: ${state}`),
    ...attempts.map(
      ({ at, kind, host, code, status, text }) =>
        `${formatTime(at)}  ${kind}  ${printable(`${host} ${code || ''} ${status} ${text}`)}`,
    ),
  ]
  context.output.result({ ...message, attempts }, lines.join('\n'))
}

/** The command that does one thing to what waits. */
export function changeQueue(
  action: QueueAction,
): Run<[readonly string[], { readonly all?: boolean; readonly domain?: string }]> {
  return async (context, ids, { all, domain }) => {
    if (ids.length === 0 && all !== true && domain === undefined) {
      throw new CliError(`which? restante queue ${action} ID …, --domain example.org, or --all`, {
        exitCode: 2,
      })
    }
    if (ids.length > 0 && all === true) throw new CliError('give numbers or --all, not both', { exitCode: 2 })
    const messages = ids.length === 0 ? [undefined] : ids.map(readId)
    const count = await onStore(context, { mayCreate: false }, async ({ store }) => {
      let sum = 0
      for (const message of messages) {
        sum += await store.mutate('steerQueue', {
          action,
          ...(message !== undefined && { message }),
          ...(domain !== undefined && { domain: domain.toLowerCase() }),
        })
      }
      return sum
    })
    if (count === 0 && ids.length > 0)
      throw new CliError(`nothing to ${action} there: restante queue list shows what waits`)
    const done = { hold: 'held', release: 'released', retry: 'tried now', drop: 'dropped' }[action]
    context.output.result(
      { action, recipients: count },
      `${count} ${count === 1 ? 'recipient' : 'recipients'} ${done}`,
    )
  }
}

function readId(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw new CliError(`"${text}" is no number of a message: restante queue list shows them`, { exitCode: 2 })
  return Number(text)
}
