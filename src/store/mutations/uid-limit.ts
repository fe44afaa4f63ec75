// RFC 9051 §9: a UID is a nonzero 32-bit number.

export const maxUid = 2 ** 32 - 1
