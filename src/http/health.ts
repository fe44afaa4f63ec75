// What the health endpoints say.

export interface Health {
  /** The process answers. */
  readonly live: boolean
  /** 'ok', or what is wrong in words that hold no secret. */
  readonly checks: Readonly<Record<string, string>>
}

/** Whether everything is fit to serve. */
export function isHealthy({ live, checks }: Health): boolean {
  return live && Object.values(checks).every(state => state === 'ok')
}
