/**
 * A page as a browser sees it: parsed by the rules of the HTML standard (parse5), written down as the outline of
 * its elements, so that two pages can be compared whatever their texts say.
 */
import { type DefaultTreeAdapterTypes, parse } from 'parse5'

type Node = DefaultTreeAdapterTypes.Node
type Element = DefaultTreeAdapterTypes.Element

/** Attributes whose value a browser follows or loads. */
const URLS = ['href', 'src', 'action', 'formaction', 'data', 'poster', 'background', 'xlink:href']

export type PageTree = {
  /** One line an element, comment or document type: its depth, its name, the names of its attributes. */
  readonly outline: readonly string[]
  /** What could act, in words. */
  readonly dangers: readonly string[]
}

export function pageTree(html: string): PageTree {
  const outline: string[] = []
  const dangers: string[] = []
  const walk = (node: Node, depth: number): void => {
    if (node.nodeName === '#text') return
    outline.push(`${depth} ${node.nodeName}${'tagName' in node ? namesOf(node) : ''}`)
    if ('tagName' in node) dangers.push(...dangersOf(node))
    if ('content' in node) walk(node.content, depth + 1)
    if ('childNodes' in node) for (const child of node.childNodes) walk(child, depth + 1)
  }
  walk(parse(html), 0)
  return { outline, dangers }
}

function namesOf({ attrs, namespaceURI }: Element): string {
  return ` ${namespaceURI.split('/').at(-1)} ${attrs.map(({ name }) => name).join(' ')}`
}

function dangersOf({ tagName, attrs }: Element): string[] {
  const found = ['script', 'iframe', 'object', 'embed', 'base'].includes(tagName) ? [tagName] : []
  for (const { name, value } of attrs) {
    if (/^on/i.test(name)) found.push(`${tagName} ${name}`)
    if (URLS.includes(name.toLowerCase()) && !isHarmless(value)) found.push(`${name}=${value}`)
    if (name === 'http-equiv' || name === 'style') found.push(`${tagName} ${name}`)
  }
  return found
}

/** A link of ours: a path, or a URL of the web. Browsers leave tabs, line ends and leading blanks out. */
function isHarmless(url: string): boolean {
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec([...url].filter((char) => char > ' ').join(''))?.[0]
  return scheme === undefined || /^https?:$/i.test(scheme)
}
