// The links of a message: those of its HTML, and the addresses that stand in its text. RFC 3986; HTML Living Standard §4.5.1.
import { decodeEntities, htmlToText } from '../message/html.ts'

export interface Link {
  readonly url: string
  /** What is shown in its place; empty where the address itself is. */
  readonly text: string
}

/** Tags longer than this are passed over. */
const tagCharacters = 16 * 1024

/** Every link once, in order: of the HTML first. */
export function findLinks(html: string | undefined, text: string): Link[] {
  const links = new Map<string, Link>()
  const all = [...(html === undefined ? [] : htmlLinks(html)), ...textLinks(text)]
  for (const link of all) if (!links.has(link.url)) links.set(link.url, link)
  return [...links.values()]
}

function htmlLinks(html: string): Link[] {
  const links: Link[] = []
  const lower = html.toLowerCase()
  for (let at = lower.indexOf('<a'); at !== -1; at = lower.indexOf('<a', at + 2)) {
    const end = html.indexOf('>', at)
    if (end === -1) break
    if (!/\s/.test(html[at + 2] ?? '') || end - at > tagCharacters) continue
    const url = attribute(html.slice(at + 2, end), 'href')
    if (url === undefined || url === '' || url.startsWith('#')) continue
    const close = lower.indexOf('</a', end)
    const inner = close === -1 ? '' : html.slice(end + 1, Math.min(close, end + tagCharacters))
    links.push({ url, text: htmlToText(inner).trim() })
  }
  return links
}

/** The decoded value of an attribute among those of a tag. */
function attribute(tag: string, name: string): string | undefined {
  for (let at = tag.toLowerCase().indexOf(name); at !== -1; at = tag.toLowerCase().indexOf(name, at + 1)) {
    if (!/\s/.test(tag[at - 1] ?? ' ')) continue
    const rest = tag.slice(at + name.length).trimStart()
    if (!rest.startsWith('=')) continue
    const value = rest.slice(1).trimStart()
    const quote = value[0]
    if (quote === '"' || quote === "'") {
      const close = value.indexOf(quote, 1)
      return decodeEntities(value.slice(1, close === -1 ? undefined : close)).trim()
    }
    return decodeEntities(value.split(/\s/, 1)[0] ?? '')
  }
  return undefined
}

function textLinks(text: string): Link[] {
  return [...text.matchAll(/https?:\/\/[^\s<>"]+/gi)].map(([match]) => ({
    url: withoutPunctuation(match),
    text: '',
  }))
}

/** A full stop or a bracket at the end belongs to the sentence; a bracket that was opened within belongs to the address. */
function withoutPunctuation(url: string): string {
  let end = url.length
  for (; end > 0; end--) {
    const last = url[end - 1] ?? ''
    if (".,;:!?'*_".includes(last)) continue
    if (last === ')' && !url.slice(0, end).includes('(')) continue
    if (last === ']' && !url.slice(0, end).includes('[')) continue
    break
  }
  return url.slice(0, end)
}
