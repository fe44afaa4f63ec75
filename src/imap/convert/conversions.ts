// What can be converted into what, and with which parameters. RFC 5259 §5, §7.
import type { Session } from '../session.ts'

export interface Conversion {
  /** Media types in lower case. */
  readonly from: string
  readonly to: string
  /** In lower case. */
  readonly parameters: readonly string[]
}

const textParameters = ['charset', 'unknown-character-replacement']
const imageParameters = ['pix-x', 'pix-y']

const textConversions: readonly Conversion[] = [
  // RFC 5259 §7.1.
  { from: 'text/plain', to: 'text/plain', parameters: textParameters },
  { from: 'text/html', to: 'text/plain', parameters: textParameters },
  { from: 'text/csv', to: 'text/csv', parameters: textParameters },
  { from: 'text/csv', to: 'text/plain', parameters: textParameters },
]

const imageSources = ['image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/tiff']
/** The first is what is chosen where nothing is said. */
const imageTargets = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

const imageConversions: readonly Conversion[] = imageSources.flatMap(from =>
  imageTargets.map(to => ({ from, to, parameters: imageParameters })),
)

/** All that this server can do now: images only where the library for them is installed. */
export async function listConversions({ context }: Session): Promise<readonly Conversion[]> {
  const hasImages = context.images !== undefined && (await context.images.isAvailable())
  return hasImages ? [...textConversions, ...imageConversions] : textConversions
}

/** RFC 5259 §6: what stands for NIL; undefined for a type that nothing can be made of. */
export function defaultTarget(from: string): string | undefined {
  if (from.startsWith('text/')) return 'text/plain'
  return from.startsWith('image/') ? imageTargets[0] : undefined
}
