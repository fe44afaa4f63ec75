// A forest whose links come and go, asked for the root of a node: Sleator and Tarjan's link-cut trees, without recursion.
//
// THREAD must not close a loop (RFC 5256 §3, REFERENCES step 1). Walking up a chain for each link would take a hundred thousand steps a hundred thousand times
// where mail is made to be so; here each question takes log n.

const none = -1

export class LinkCutForest {
  // Splay trees, one for each preferred path, ordered by depth. `#parent` of a splay root is the path's parent.
  #parent = new Int32Array(0)
  #left = new Int32Array(0)
  #right = new Int32Array(0)

  /** Makes room for nodes below `count`. */
  reserve(count: number): void {
    if (count <= this.#parent.length) return
    const length = Math.max(count, this.#parent.length * 2, 1024)
    this.#parent = grown(this.#parent, length)
    this.#left = grown(this.#left, length)
    this.#right = grown(this.#right, length)
  }

  /** The root of `node`'s tree. */
  rootOf(node: number): number {
    this.#access(node)
    let root = node
    while (this.#left[root] !== none) root = this.#left[root] as number
    this.#splay(root)
    return root
  }

  /** Makes `parent` the parent of `node`, which has none. */
  link(node: number, parent: number): void {
    this.#access(node)
    this.#access(parent)
    this.#parent[node] = parent
  }

  /** Takes `node` from its parent. */
  cut(node: number): void {
    this.#access(node)
    const above = this.#left[node] as number
    if (above === none) return
    this.#left[node] = none
    this.#parent[above] = none
  }

  /** Makes the path from the root to `node` the preferred one, and `node` its splay root. */
  #access(node: number): void {
    let below = none
    for (let at = node; at !== none; at = this.#parent[at] as number) {
      this.#splay(at)
      this.#right[at] = below
      below = at
    }
    this.#splay(node)
  }

  #splay(node: number): void {
    while (!this.#isSplayRoot(node)) {
      const parent = this.#parent[node] as number
      if (!this.#isSplayRoot(parent)) {
        const isStraight =
          (this.#left[parent] === node) === (this.#left[this.#parent[parent] as number] === parent)
        this.#rotate(isStraight ? parent : node)
      }
      this.#rotate(node)
    }
  }

  #isSplayRoot(node: number): boolean {
    const parent = this.#parent[node] as number
    return parent === none || (this.#left[parent] !== node && this.#right[parent] !== node)
  }

  #rotate(node: number): void {
    const parent = this.#parent[node] as number
    const grand = this.#parent[parent] as number
    const isInTree = !this.#isSplayRoot(parent)
    const isLeft = this.#left[parent] === node
    const moved = (isLeft ? this.#right[node] : this.#left[node]) as number
    if (isLeft) {
      this.#left[parent] = moved
      this.#right[node] = parent
    } else {
      this.#right[parent] = moved
      this.#left[node] = parent
    }
    if (moved !== none) this.#parent[moved] = parent
    if (isInTree) {
      if (this.#left[grand] === parent) this.#left[grand] = node
      else this.#right[grand] = node
    }
    this.#parent[node] = grand
    this.#parent[parent] = node
  }
}

function grown(old: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length).fill(none)
  larger.set(old)
  return larger
}
