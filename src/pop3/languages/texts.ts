// Every text that a person may be shown, in every language. RFC 6856 §3.
//
// A text never holds what a client sent, nor `[` (RFC 2449 §3: that begins a response code), CR or LF.

export interface Texts {
  readonly goodbye: string
  messagesLeft(count: number): string
  readonly maildropEmpty: string
  readonly sendPassword: string
  maildropHas(count: number, bytes: number): string
  readonly capabilities: string
  readonly mechanisms: string
  readonly uniqueIds: string
  octets(bytes: number): string
  readonly topFollows: string
  messageDeleted(number: number): string
  messageAlreadyDeleted(number: number): string
  readonly noSuchMessage: string
  onlyMessages(count: number): string
  readonly done: string
  readonly beginTls: string
  readonly tlsIsActive: string
  readonly noTls: string
  readonly noTlsAfterUtf8: string
  readonly utf8On: string
  readonly languageChanged: string
  readonly languages: string
  readonly unknownLanguage: string
  readonly unknownCommand: string
  readonly syntax: string
  readonly logInFirst: string
  readonly loggedInAlready: string
  readonly lineTooLong: string
  readonly tooManyErrors: string
  readonly userFirst: string
  readonly tlsFirst: string
  readonly badCredentials: string
  readonly limited: string
  readonly unavailable: string
  readonly cancelled: string
  readonly malformed: string
  readonly unknownMechanism: string
  readonly notForPop3: string
  readonly inUse: string
  loginDelay(seconds: number): string
  readonly noMaildrop: string
  readonly notAllRemoved: string
  readonly shuttingDown: string
  readonly accountChanged: string
  readonly tooManySessions: string
  readonly needsUtf8: string
  serverBug(trace: string): string
}

export interface Language {
  /** RFC 5646. */
  readonly tag: string
  /** Its name in itself. */
  readonly name: string
  readonly texts: Texts
}
