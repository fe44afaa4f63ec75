// How the heaps of new objects of all threads grow. What they grow to while the program is loaded they keep, some 25 MB, though a quiet server needs a tenth of it.
import { setFlagsFromString } from 'node:v8'

/** To be called before most of the program is loaded. */
export function keepHeapsSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
}

/** As V8 does by itself: from here on they are as large as the work wants. */
export function letHeapsGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2')
}
