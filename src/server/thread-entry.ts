// Where a worker thread's program is: TypeScript in the checkout, JavaScript in the package.

/** The sibling of the module at `moduleUrl` called `name`, with the same extension. */
export function threadEntry(name: string, moduleUrl: string): URL {
  return new URL(`./${name}${moduleUrl.endsWith('.ts') ? '.ts' : '.js'}`, moduleUrl)
}
