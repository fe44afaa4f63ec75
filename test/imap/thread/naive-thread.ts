// REFERENCES as RFC 5256 §3 tells it, step by step, for tests to compare with. Slow and recursive.

export interface NaiveMessage {
  readonly number: number
  readonly id: string
  readonly references: readonly string[]
  /** Equal for equal base subjects. */
  readonly subject: string
  readonly isReply: boolean
  readonly sent: number
  readonly received: number
}

interface Node {
  readonly message: NaiveMessage | undefined
  parent: Node | undefined
  children: Node[]
}

function isBelow(node: Node | undefined, ancestor: Node): boolean {
  for (let at = node; at; at = at.parent) if (at === ancestor) return true
  return false
}

function link(parent: Node, child: Node): void {
  if (isBelow(parent, child)) return
  child.parent = parent
  parent.children.push(child)
}

/** The untagged answer behind `* THREAD`. */
export function naiveThread(messages: readonly NaiveMessage[], algorithm: 'REFERENCES' | 'REFS'): string {
  const table = new Map<string, Node>()
  const nodes: Node[] = []
  const all: Node[] = []
  for (const message of messages) {
    const node: Node = { message, parent: undefined, children: [] }
    nodes.push(node)
    all.push(node)
    if (message.id !== '' && !table.has(message.id)) table.set(message.id, node)
  }
  // (1)
  for (const [at, message] of messages.entries()) {
    const ancestors = message.references.map(id => {
      let found = table.get(id)
      if (!found) {
        found = { message: undefined, parent: undefined, children: [] }
        table.set(id, found)
        all.push(found)
      }
      return found
    })
    for (let i = 1; i < ancestors.length; i++) {
      const child = ancestors[i] as Node
      if (!child.parent) link(ancestors[i - 1] as Node, child)
    }
    const node = nodes[at] as Node
    if (node.parent) {
      node.parent.children.splice(node.parent.children.indexOf(node), 1)
      node.parent = undefined
    }
    const last = ancestors.at(-1)
    if (last) link(last, node)
  }
  // (2)
  let roots = all.filter(node => !node.parent)
  // (3)
  roots = roots.flatMap(node => {
    prune(node)
    if (node.message) return [node]
    return node.children.length <= 1 ? node.children : [node]
  })
  // (4)
  const key = (node: Node): NaiveMessage =>
    node.message ?? ((node.children[0] as Node).message as NaiveMessage)
  const byDate = (a: Node, b: Node) => key(a).sent - key(b).sent || key(a).number - key(b).number
  for (const root of roots) if (!root.message) root.children.sort(byDate)
  roots.sort(byDate)
  // (5)
  if (algorithm === 'REFERENCES') roots = gather(roots, key)
  // (6)
  for (const root of roots) sortBelow(root, byDate)
  if (algorithm === 'REFERENCES') roots.sort(byDate)
  else roots.sort((a, b) => latest(a) - latest(b) || byDate(a, b))
  return roots.map(write).join('')
}

function prune(node: Node): void {
  node.children = node.children.flatMap(child => {
    prune(child)
    return child.message ? [child] : child.children
  })
}

function gather(roots: readonly Node[], key: (node: Node) => NaiveMessage): Node[] {
  const subjects = new Map<string, Node>()
  const isReply = (node: Node) => node.message?.isReply === true
  for (const node of roots) {
    const { subject } = key(node)
    if (subject === '') continue
    const known = subjects.get(subject)
    if (!known) subjects.set(subject, node)
    else if (known.message && (!node.message || (isReply(known) && !isReply(node))))
      subjects.set(subject, node)
  }
  let left = [...roots]
  for (const node of roots) {
    const { subject } = key(node)
    if (subject === '') continue
    const known = subjects.get(subject) as Node
    if (known === node) continue
    left = left.filter(one => one !== node)
    if (!known.message && !node.message) known.children.push(...node.children)
    else if (!known.message || (isReply(node) && !isReply(known))) known.children.push(node)
    else {
      const dummy: Node = { message: undefined, parent: undefined, children: [known, node] }
      left = left.filter(one => one !== known)
      left.push(dummy)
      subjects.set(subject, dummy)
    }
  }
  return left
}

function sortBelow(node: Node, compare: (a: Node, b: Node) => number): void {
  for (const child of node.children) sortBelow(child, compare)
  node.children.sort(compare)
}

function latest(node: Node): number {
  return Math.max(node.message?.received ?? -Infinity, ...node.children.map(latest))
}

function write(node: Node): string {
  return `(${members(node)})`
}

function members(node: Node): string {
  const own = node.message ? [String(node.message.number)] : []
  if (node.children.length === 1) own.push(members(node.children[0] as Node))
  else if (node.children.length > 1) own.push(node.children.map(write).join(''))
  return own.join(' ')
}
