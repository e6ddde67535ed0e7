/** What a stream is offered as, for whoever asks for nothing but that. */
import type { StreamName } from '../../domain/stream-name.ts'
import type { HttpResponse } from '../../http/message.ts'
import { streamUrl } from './feed.ts'
import { ATOM, ATOM_JSON, type Codec } from './media-types.ts'
import { contentType } from './negotiation.ts'

/** The same for streams that are not there. */
export function describeStream(codec: Codec, stream: StreamName): HttpResponse {
  const href = streamUrl('', stream)
  const form = (codecs: readonly Codec[]) => ({
    href,
    supportedContentTypes: codecs.map(({ mediaType }) => mediaType),
  })
  const document = {
    title: `Description document for '${stream}'`,
    description: 'The forms in which this stream can be read.',
    _links: { self: form([codec]), stream: form([ATOM, ATOM_JSON]) },
  }
  return {
    status: 200,
    headers: { 'content-type': contentType(codec), vary: 'Accept' },
    body: JSON.stringify(document, null, 2),
  }
}
