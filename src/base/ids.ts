// The identifiers that cross layers. RFC 9051 §2.3.1 (UID, UIDVALIDITY), RFC 7162 (mod-sequence), RFC 8474 (object ids).
import type { Brand } from './brand.ts'

/** Row id of an account, unique in one store. */
export type AccountId = Brand<number, 'AccountId'>
/** Id of a mailbox, unique in its account and never used again; survives RENAME. */
export type MailboxId = Brand<number, 'MailboxId'>
/** Id of an email (content), unique in its account and never used again. */
export type EmailId = Brand<number, 'EmailId'>
/** Id of a conversation, unique in its account. */
export type ThreadId = Brand<number, 'ThreadId'>
/** 32-bit, strictly ascending in one mailbox, never used again under one UIDVALIDITY. */
export type Uid = Brand<number, 'Uid'>
/** 32-bit, grows with each mailbox made in an account. */
export type UidValidity = Brand<number, 'UidValidity'>
/** One counter per account; each transaction that changes the account takes the next value. Below 2^53. */
export type ModSeq = Brand<number, 'ModSeq'>
/** Lower-case hexadecimal SHA-256 of a body, 64 characters. */
export type BlobHash = Brand<string, 'BlobHash'>
