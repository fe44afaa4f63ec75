// One thing that was examined, as the command tells it.

export interface DoctorItem {
  /** A fixed word. */
  readonly id: string
  /** `warn` works and should be better; `fail` loses mail, refuses it, or will. */
  readonly status: 'ok' | 'warn' | 'fail'
  readonly expected: string
  readonly actual: string
  /** What to do; '' where nothing is wrong. */
  readonly fix: string
}

/** Makes an item: `fix` is told only where something is wrong. */
export function item(
  id: string,
  status: DoctorItem['status'],
  facts: { readonly expected: string; readonly actual: string; readonly fix: string },
): DoctorItem {
  return { id, status, ...facts, fix: status === 'ok' ? '' : facts.fix }
}

/** `fail` above the second bound, `warn` above the first. */
export function judge(value: number, warnAbove: number, failAbove: number): DoctorItem['status'] {
  if (value > failAbove) return 'fail'
  return value > warnAbove ? 'warn' : 'ok'
}

/** What an error says, with its cause where that says more. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && !message.includes(cause.message) ? `${message}: ${cause.message}` : message
}
