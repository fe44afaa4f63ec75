// A `Resolver` over a table, for tests: no packet leaves the machine.
import { DnsError, type MxRecord, type Resolver, type TlsaRecord } from '../../src/net/resolver.ts'

export interface FakeName {
  readonly mx?: readonly MxRecord[]
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly txt?: readonly string[]
  readonly ptr?: readonly string[]
  readonly tlsa?: readonly TlsaRecord[]
  /** Each question for this name fails for now. */
  readonly isBroken?: boolean
}

/** Names in lower case without a final dot; for `ptr` the address is the name. */
export class FakeResolver implements Resolver {
  readonly #names: Map<string, FakeName>
  /** What was asked, as `TYPE name`. */
  readonly asked: string[] = []

  constructor(names: Readonly<Record<string, FakeName>>) {
    this.#names = new Map(Object.entries(names))
  }

  set(name: string, records: FakeName): void {
    this.#names.set(name, records)
  }

  async mx(domain: string): Promise<readonly MxRecord[]> {
    const records = this.#look('MX', domain).mx ?? []
    return found(
      records.toSorted((one, other) => one.preference - other.preference),
      domain,
    )
  }

  async a(domain: string): Promise<readonly string[]> {
    return found(this.#look('A', domain).a, domain)
  }

  async aaaa(domain: string): Promise<readonly string[]> {
    return found(this.#look('AAAA', domain).aaaa, domain)
  }

  async txt(domain: string): Promise<readonly string[]> {
    return found(this.#look('TXT', domain).txt, domain)
  }

  async ptr(address: string): Promise<readonly string[]> {
    return found(this.#look('PTR', address).ptr, address)
  }

  async tlsa(domain: string): Promise<readonly TlsaRecord[]> {
    return found(this.#look('TLSA', domain).tlsa, domain)
  }

  #look(type: string, domain: string): FakeName {
    const name = domain.toLowerCase().replace(/\.$/, '')
    this.asked.push(`${type} ${name}`)
    const records = this.#names.get(name)
    if (!records) throw new DnsError('NoSuchDomain', `${name}: no such name`)
    if (records.isBroken) throw new DnsError('Temporary', `${name}: no answer`)
    return records
  }
}

function found<T>(records: readonly T[] | undefined, name: string): readonly T[] {
  if (!records?.length) throw new DnsError('NoRecords', `${name}: no records`)
  return records
}
