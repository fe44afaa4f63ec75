// A DNS that knows what a test tells it.
import { DnsError, type DnsErrorCode, type MxRecord, type Resolver } from '../../src/net/resolver.ts'

export interface Zone {
  readonly mx?: readonly (readonly [preference: number, exchange: string])[]
  readonly a?: readonly string[]
  readonly aaaa?: readonly string[]
  readonly error?: DnsErrorCode
}

/** Names that it is not told of do not exist. */
export function fakeResolver(zones: Readonly<Record<string, Zone>>): Resolver {
  const answer = <T>(
    name: string,
    records: (zone: Zone) => readonly T[] | undefined,
  ): Promise<readonly T[]> => {
    const zone = Object.hasOwn(zones, name) ? zones[name] : undefined
    if (zone?.error) return Promise.reject(new DnsError(zone.error, name))
    if (!zone) return Promise.reject(new DnsError('NoSuchDomain', name))
    const found = records(zone) ?? []
    return found.length > 0 ? Promise.resolve(found) : Promise.reject(new DnsError('NoRecords', name))
  }
  const none = (name: string) => answer<never>(name, () => undefined)
  return {
    mx: name =>
      answer(name, zone => zone.mx?.map(([preference, exchange]): MxRecord => ({ preference, exchange }))),
    a: name => answer(name, zone => zone.a),
    aaaa: name => answer(name, zone => zone.aaaa),
    txt: none,
    ptr: none,
    tlsa: none,
  }
}
