/** The media types of the AtomPub API, and which of them each kind of resource is offered in, best first. */

/** How a representation is written. */
export type Form =
  | 'atom-xml'
  | 'atom-json'
  | 'data-xml'
  | 'data-json'
  | 'event-xml'
  | 'event-json'
  | 'raw'
  | 'description'
  | 'html'

export type Codec = { readonly mediaType: string; readonly form: Form }

const codec = (mediaType: string, form: Form): Codec => ({ mediaType, form })
const vendor = (name: string, form: Form): Codec =>
  codec(`application/vnd.eventstore.${name}`, form)

export const ATOM = codec('application/atom+xml', 'atom-xml')
export const ATOM_JSON = vendor('atom+json', 'atom-json')
const DESCRIPTION = vendor('streamdesc+json', 'description')
const HTML = codec('text/html', 'html')

/** Names for `?format=`. */
export const FORMATS: Readonly<Record<string, string>> = {
  json: 'application/json',
  text: 'text/plain',
  xml: 'text/xml',
  atom: 'application/atom+xml',
  atomxj: ATOM_JSON.mediaType,
  atomsvc: 'application/atomsvc+xml',
  atomsvcxj: 'application/vnd.eventstore.atomsvc+json',
}

const feed = (form: 'atom-xml' | 'atom-json') => form
/** A feed is one document in XML and one in JSON, whatever name it is asked for by. */
export const FEED_CODECS: readonly Codec[] = [
  DESCRIPTION,
  ATOM,
  ATOM_JSON,
  codec('text/xml', feed('atom-xml')),
  codec('application/xml', feed('atom-xml')),
  codec('application/json', feed('atom-json')),
  vendor('event+xml', feed('atom-xml')),
  vendor('event+json', feed('atom-json')),
  vendor('events+xml', feed('atom-xml')),
  vendor('events+json', feed('atom-json')),
  HTML,
]

export const EVENT_CODECS: readonly Codec[] = [
  ATOM,
  ATOM_JSON,
  codec('text/xml', 'data-xml'),
  codec('application/xml', 'data-xml'),
  codec('application/json', 'data-json'),
  vendor('event+xml', 'event-xml'),
  vendor('event+json', 'event-json'),
  codec('application/octet-stream', 'raw'),
  HTML,
]

/** Documents about anything but events. */
export const DOCUMENT_CODECS: readonly Codec[] = [
  codec('application/json', 'data-json'),
  codec('application/xml', 'data-xml'),
  codec('text/xml', 'data-xml'),
]

/** Messages of a subscription group; plain JSON is not offered, as clients rely on. */
export const MESSAGE_CODECS: readonly Codec[] = [
  vendor('competingatom+xml', 'atom-xml'),
  vendor('competingatom+json', 'atom-json'),
]

/** What the answer to a write could be written in; it is empty, but whoever accepts none of these is refused. */
export const WRITE_CODECS: readonly Codec[] = [
  ...FEED_CODECS.filter(({ form }) => form !== 'description' && form !== 'html'),
  codec('application/octet-stream', 'raw'),
]
