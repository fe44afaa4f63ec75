// SCRAM as a client speaks it. RFC 5802 §3, §5.
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import type { ScramHash } from '../../src/sasl/scram-keys.ts'

export interface ScramClientOptions {
  readonly hash: ScramHash
  readonly name: string
  readonly password: string
  readonly nonce: string
  /** `n`, `y` or `p=TYPE`. */
  readonly flag?: string
  readonly authzid?: string
  readonly bindingData?: Buffer
}

export class ScramClient {
  readonly #options: ScramClientOptions
  readonly #header: string
  readonly #bare: string
  #serverSignature = ''

  constructor(options: ScramClientOptions) {
    this.#options = options
    const escape = (text: string) => text.replaceAll('=', '=3D').replaceAll(',', '=2C')
    const authzid = options.authzid === undefined ? '' : `a=${escape(options.authzid)}`
    this.#header = `${options.flag ?? 'n'},${authzid},`
    this.#bare = `n=${escape(options.name)},r=${options.nonce}`
  }

  first(): Buffer {
    return Buffer.from(this.#header + this.#bare)
  }

  final(serverFirst: Buffer): Buffer {
    const { hash, password, bindingData = Buffer.alloc(0) } = this.#options
    const message = serverFirst.toString()
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(message) ?? []
    const bound = Buffer.concat([Buffer.from(this.#header), bindingData]).toString('base64')
    const withoutProof = `c=${bound},r=${nonce}`
    const authMessage = `${this.#bare},${message},${withoutProof}`
    const keyBytes = hash === 'sha1' ? 20 : 32
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), keyBytes, hash)
    const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest()
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash(hash).update(clientKey).digest(), authMessage)
    const proof = clientKey.map((byte, i) => byte ^ (signature[i] as number))
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }

  /** Whether the server has proved itself. */
  isServer(serverFinal: Buffer): boolean {
    return serverFinal.toString() === `v=${this.#serverSignature}`
  }
}
