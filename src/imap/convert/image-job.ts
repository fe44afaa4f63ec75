// What is said between the server and the process that decodes images.

export interface ImageJob {
  readonly id: number
  readonly bytes: Uint8Array
  /** `image/png` and so on. */
  readonly target: string
  /** The box that the image has to fit in; it is never enlarged. */
  readonly width: number | undefined
  readonly height: number | undefined
}

export type ImageResult =
  | { readonly id: number; readonly kind: 'done'; readonly bytes: Uint8Array }
  /** The image can't be read, or is too large. */
  | { readonly id: number; readonly kind: 'refused' }

/** Said once, when the library is loaded. */
export interface ImageReady {
  readonly kind: 'ready'
}
