// What a TLS connection knows about itself, and its channel bindings. RFC 5929 (tls-unique, tls-server-end-point); RFC 9266 (tls-exporter).
// RFC 9266 is implemented from what is known of it.
import { createHash, type X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique'

export interface TlsInfo {
  /** 'TLSv1.3', 'TLSv1.2'. */
  readonly protocol: string
  /** The standard (IANA) name of the cipher suite. */
  readonly cipher: string
  /** The name that the client asked for (SNI). */
  readonly serverName: string | undefined
  readonly alpnProtocol: string | undefined
  /** The client's certificate, only when it was asked for and its chain was verified. */
  readonly clientCertificate: X509Certificate | undefined
  /** Channel-binding data for SCRAM-PLUS, undefined where this connection has none of this type. */
  channelBinding(type: ChannelBindingType): Buffer | undefined
}

/** Reads them off a TLS socket whose handshake is done. `isVerified`: the peer's certificate chain was. */
export function tlsInfoOf(socket: TLSSocket, isServer: boolean, isVerified: boolean): TlsInfo {
  const protocol = socket.getProtocol() ?? 'unknown'
  return {
    protocol,
    cipher: socket.getCipher().standardName,
    serverName: typeof socket.servername === 'string' ? socket.servername : undefined,
    alpnProtocol: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : undefined,
    clientCertificate: isServer && isVerified ? socket.getPeerX509Certificate() : undefined,
    channelBinding: type => channelBindingOf(socket, isServer, type, protocol),
  }
}

function channelBindingOf(
  socket: TLSSocket,
  isServer: boolean,
  type: ChannelBindingType,
  protocol: string,
): Buffer | undefined {
  if (socket.destroyed) return undefined
  switch (type) {
    case 'tls-exporter':
      // RFC 9266 §4.2: before TLS 1.3 only with the extended master secret, which Node does not tell of.
      if (protocol !== 'TLSv1.3') return undefined
      return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    case 'tls-server-end-point': {
      const certificate = isServer ? socket.getX509Certificate() : socket.getPeerX509Certificate()
      return certificate && serverEndPoint(certificate)
    }
    case 'tls-unique': {
      // RFC 9266 §3: not defined for TLS 1.3.
      if (protocol !== 'TLSv1.2') return undefined
      // RFC 5929 §3.1: the first Finished of the handshake, the client's in a full one, the server's in a resumed one.
      const isOurs = isServer === socket.isSessionReused()
      return isOurs ? socket.getFinished() : socket.getPeerFinished()
    }
  }
}

/** RFC 5929 §4.1: the certificate's hash by its signature's hash function, SHA-256 in place of MD5 and SHA-1. */
export function serverEndPoint(certificate: X509Certificate): Buffer | undefined {
  const algorithm = /sha-?(1|224|256|384|512)\b|md5/i.exec(certificate.signatureAlgorithm ?? '')
  // No single hash function (Ed25519, RSASSA-PSS by parameters): undefined in RFC 5929.
  if (!algorithm) return undefined
  const bits = algorithm[1] === undefined || algorithm[1] === '1' ? '256' : algorithm[1]
  return createHash(`sha${bits}`).update(certificate.raw).digest()
}
