/** What a stream is offered as, for whoever asks for nothing but that. */
import type { StreamName } from '../../domain/stream-name.ts'
import type { HttpResponse } from '../../http/message.ts'
import { escapeSegment, streamUrl } from './feed.ts'
import { ATOM, ATOM_JSON, type Codec, MESSAGE_CODECS } from './media-types.ts'
import { typeHeaders } from './negotiation.ts'

/** The same for streams that are not there. @param groups names of its subscription groups */
export function describeStream(
  codec: Codec,
  stream: StreamName,
  groups: readonly string[],
): HttpResponse {
  const href = streamUrl('', stream)
  const form = (codecs: readonly Codec[]) => ({
    href,
    supportedContentTypes: codecs.map(({ mediaType }) => mediaType),
  })
  const messages = (group: string) => ({
    href: `/subscriptions/${escapeSegment(stream)}/${escapeSegment(group)}`,
    supportedContentTypes: MESSAGE_CODECS.map(({ mediaType }) => mediaType),
  })
  const document = {
    title: `Description document for '${stream}'`,
    description: 'The forms in which this stream can be read.',
    _links: {
      self: form([codec]),
      stream: form([ATOM, ATOM_JSON]),
      ...(groups.length > 0 && { streamSubscription: groups.map(messages) }),
    },
  }
  return {
    status: 200,
    headers: { ...typeHeaders(codec), vary: 'Accept' },
    body: JSON.stringify(document, null, 2),
  }
}
