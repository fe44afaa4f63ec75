// Which names are those of secrets: their values are never shown, in a log or by `config show`.

const secretNames =
  /(?:^|[a-z_-])(?:password|passphrase|secret|token|credential|authorization|cookie|privateKey|secretKey|apiKey)s?$/i

/** Whether a field or key of this name holds a secret. */
export function isSecretField(name: string): boolean {
  return secretNames.test(name)
}

/** A database's address without the password in it. */
export function withoutPassword(text: string): string {
  return text.replace(/^([a-z]+:\/\/[^:@/?#]*):[^@/?#]*@/, '$1:(not shown)@')
}
