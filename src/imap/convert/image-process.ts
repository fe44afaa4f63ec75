// The process that decodes, scales and encodes images for CONVERT. RFC 5259 §13: a library that reads hostile bytes is kept away from the mail.
//
// It has no rights to the file system beyond its program, no network of its own and no way to start others, and is ended when it takes too long.
import { limits } from '../../base/limits.ts'
import type { ImageJob, ImageReady, ImageResult } from './image-job.ts'

const { default: sharp } = await import('sharp')

/** The readers that are let near a message: no SVG or PDF, which refer to other things, and no readers of rare formats. */
const readers = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff'] as const

sharp.concurrency(1)
sharp.cache(false)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: readers.map(name => `VipsForeignLoad${name}`) })

process.on('disconnect', () => process.exit(0))
process.on('message', (job: ImageJob) => {
  void convert(job).then(result => process.send?.(result))
})
process.send?.({ kind: 'ready' } satisfies ImageReady)

async function convert({ id, bytes, target, width, height }: ImageJob): Promise<ImageResult> {
  try {
    const { pixels, timeoutMs } = limits.convert
    const image = sharp(bytes, { limitInputPixels: pixels, failOn: 'error', autoOrient: true }).timeout({
      seconds: Math.ceil(timeoutMs / 1000),
    })
    if (width !== undefined || height !== undefined)
      image.resize({
        ...(width && { width }),
        ...(height && { height }),
        fit: 'inside',
        withoutEnlargement: true,
      })
    // JPEG has no transparency.
    if (target === 'image/jpeg') image.flatten({ background: '#ffffff' })
    const format = target.slice('image/'.length) as 'jpeg' | 'png' | 'webp' | 'gif'
    const converted = await image.toFormat(format).toBuffer()
    return { id, kind: 'done', bytes: converted }
  } catch {
    return { id, kind: 'refused' }
  }
}
