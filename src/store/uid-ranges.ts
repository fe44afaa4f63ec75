// Sets of UIDs as ascending ranges, as mutations take them.

export type UidRange = readonly [first: number, last: number]
/** Ascending, without overlap. */
export type UidRanges = readonly UidRange[]
