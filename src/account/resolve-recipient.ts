// Where mail for an address goes: accounts, aliases, catch-all, plus addressing. RFC 5321 §3.4, §3.9, §4.5.1; RFC 5233 (detail).
//
// An alias comes before an account of the same address: so mail can be forwarded and, with the address among its own targets, also kept.
import type { AccountId } from '../base/ids.ts'
import { limits } from '../base/limits.ts'
import { listAdministrators } from '../store/read/account.ts'
import { findRoutes, type RouteRow } from '../store/read/alias.ts'
import type { Reader } from '../store/store.ts'
import { normalizeDomain, normalizeLocalPart, splitDetail } from './address.ts'
import type { Addressing } from './config.ts'

export interface LocalRecipient {
  readonly account: AccountId
  /** The account's own address. */
  readonly address: string
  /** What stood behind the separator ('lists' in ann+lists@example.org). */
  readonly detail: string | undefined
}

export type Recipient =
  /** At least one account here; `forwards` are addresses elsewhere that get it too. */
  | {
      readonly kind: 'accounts'
      readonly accounts: readonly LocalRecipient[]
      readonly forwards: readonly string[]
    }
  /** An address of ours whose mail goes elsewhere only. */
  | { readonly kind: 'forward'; readonly forwards: readonly string[] }
  /** A domain of ours that has no such address. */
  | { readonly kind: 'unknown' }
  /** Not a domain of ours. */
  | { readonly kind: 'relay' }

/** What one address leads to before its targets are followed. `detail` is what was cut off to find it. */
type Step =
  | { readonly kind: 'account'; readonly recipient: LocalRecipient }
  | {
      readonly kind: 'targets'
      readonly alias: string
      readonly targets: readonly string[]
      readonly detail: string | undefined
    }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'relay' }

/**
 * Follows aliases, also through each other, with the detail going along; loops and what goes past the limits are left out. One read for an address,
 * and one for each address that an alias leads to.
 */
export async function resolveRecipient(
  reader: Reader,
  address: string,
  addressing: Addressing,
): Promise<Recipient> {
  const first = await stepFrom(reader, address, addressing, false)
  if (first.kind === 'relay' || first.kind === 'unknown') return first
  const accounts = new Map<AccountId, LocalRecipient>()
  const forwards = new Set<string>()
  const followed = new Set<string>()
  let level: readonly { readonly step: Step; readonly detail: string | undefined }[] = [
    { step: first, detail: undefined },
  ]
  for (let depth = 0; depth <= limits.account.aliasDepth && level.length > 0; depth++) {
    const next: { step: Step; detail: string | undefined }[] = []
    for (const { step, detail } of level) {
      if (step.kind === 'account') {
        const { recipient } = step
        if (!accounts.has(recipient.account)) {
          accounts.set(recipient.account, { ...recipient, detail: recipient.detail ?? detail })
        }
        continue
      }
      if (step.kind !== 'targets' || followed.has(step.alias)) continue
      followed.add(step.alias)
      for (const target of step.targets) {
        if (accounts.size + forwards.size + next.length >= limits.account.recipients) break
        // Its own address among an alias's targets means the account.
        const to = await stepFrom(reader, target, addressing, target === step.alias)
        if (to.kind === 'relay') forwards.add(target)
        else next.push({ step: to, detail: step.detail ?? detail })
      }
    }
    level = next
  }
  if (accounts.size > 0) {
    return { kind: 'accounts', accounts: [...accounts.values()], forwards: [...forwards] }
  }
  return forwards.size > 0 ? { kind: 'forward', forwards: [...forwards] } : { kind: 'unknown' }
}

async function stepFrom(
  reader: Reader,
  address: string,
  addressing: Addressing,
  accountsOnly: boolean,
): Promise<Step> {
  const at = address.lastIndexOf('@')
  const domain = normalizeDomain(at === -1 ? addressing.defaultDomain : address.slice(at + 1))
  if (domain === undefined) return { kind: 'relay' }
  const localPart = normalizeLocalPart(at === -1 ? address : address.slice(0, at), addressing)
  const split = localPart === undefined ? undefined : splitDetail(localPart, addressing.separator)
  const catchAll = `@${domain}`
  // In the order of preference. An address that no account can have still reaches the catch-all.
  const names = localPart === undefined ? [] : [`${localPart}@${domain}`]
  if (split) names.push(`${split.user}@${domain}`)
  const rows = await findRoutes(reader, domain, [...names, catchAll], limits.account.recipients + 8)
  if (!rows.some(row => row.kind === 'domain')) return { kind: 'relay' }
  for (const [index, name] of names.entries()) {
    const targets = accountsOnly ? [] : targetsOf(rows, name)
    const detail = index > 0 ? split?.detail : undefined
    if (targets.length > 0) return { kind: 'targets', alias: name, targets, detail }
    const account = rows.find(row => row.kind === 'account' && row.name === name)?.account
    if (account === undefined || account === null) continue
    return { kind: 'account', recipient: { account, address: name, detail } }
  }
  if (accountsOnly) return { kind: 'unknown' }
  // RFC 5321 §4.5.1: every domain takes mail for postmaster; the administrators get it where nobody else does.
  const detail = split?.detail
  if ((split?.user ?? localPart)?.toLowerCase() === 'postmaster') {
    const administrators = await listAdministrators(reader, limits.account.administrators)
    if (administrators.length > 0) {
      return {
        kind: 'targets',
        alias: `postmaster@${domain}`,
        targets: administrators.map(account => account.address),
        detail,
      }
    }
  }
  const targets = targetsOf(rows, catchAll)
  return targets.length > 0 ? { kind: 'targets', alias: catchAll, targets, detail } : { kind: 'unknown' }
}

function targetsOf(rows: readonly RouteRow[], name: string): readonly string[] {
  const targets: string[] = []
  for (const row of rows) {
    if (row.kind === 'alias' && row.name === name && row.target !== null) targets.push(row.target)
  }
  return targets
}
