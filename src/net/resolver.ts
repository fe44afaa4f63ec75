// Looking up names, as the layers above see it. RFC 1035; RFC 5321 §5 (MX); RFC 7505 (null MX); RFC 6698 (TLSA).

export interface MxRecord {
  readonly preference: number
  /** A host name without the final dot; '' is the null MX: this domain takes no mail. */
  readonly exchange: string
}

export interface TlsaRecord {
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly data: Buffer
}

export type DnsErrorCode =
  /** NXDOMAIN: there is no such name. */
  | 'NoSuchDomain'
  /** The name exists, and has no record of this type. */
  | 'NoRecords'
  /** No answer in time, SERVFAIL and the like: ask again later. */
  | 'Temporary'

export class DnsError extends Error {
  readonly code: DnsErrorCode

  constructor(code: DnsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DnsError'
    this.code = code
  }
}

/** Whether the DNS has said that there is nothing: a lasting answer, unlike `Temporary`. */
export function isNotFound(error: unknown): error is DnsError {
  return error instanceof DnsError && error.code !== 'Temporary'
}

/** All throw DnsError, and give at least one record otherwise. Names may be Unicode and end in a dot. */
export interface Resolver {
  /** By preference, the lowest first; equal ones in no order. */
  mx(domain: string): Promise<readonly MxRecord[]>
  a(domain: string): Promise<readonly string[]>
  aaaa(domain: string): Promise<readonly string[]>
  /** Each record's strings joined (RFC 7208 §3.3). */
  txt(domain: string): Promise<readonly string[]>
  /** Names of an IPv4 or IPv6 address. */
  ptr(address: string): Promise<readonly string[]>
  /** Of e.g. `_25._tcp.mx.example.org`. Nothing here says that DNSSEC vouches for them. */
  tlsa(domain: string): Promise<readonly TlsaRecord[]>
}
