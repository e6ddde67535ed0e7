/** The metadata document of a stream: the last event of the stream `$$…`. */
import { AppError } from '../../domain/app-error.ts'
import type { EventType } from '../../domain/event.ts'
import { METADATA_TYPE } from '../../domain/stream-metadata.ts'
import type { StreamName } from '../../domain/stream-name.ts'
import { ALL_STREAM } from '../../domain/stream-view.ts'
import type { Handler } from '../../http/handler.ts'
import type { HttpResponse } from '../../http/message.ts'
import { readBatch } from './batch.ts'
import { bodyCodec } from './body-codec.ts'
import { type Codec, WRITE_CODECS } from './media-types.ts'
import { negotiate, typeHeaders } from './negotiation.ts'
import { readEvent } from './one-event.ts'
import type { AtomParts } from './parts.ts'
import { headerOf } from './request-headers.ts'
import { parseGuid, singleEvent } from './single-event.ts'
import { metadataParameter, streamParameter } from './stream-page.ts'
import { requireWritable, write, writeHeaders } from './writing.ts'

export function postMetadata(parts: AtomParts): Handler {
  return async (request, context) => {
    negotiate(request, context.query, WRITE_CODECS)
    const codec = bodyCodec(request)
    const stream = metadataParameter(context.parameters)
    await requireWritable(parts, context, stream)
    if (codec.kind === 'batch') {
      const expectedVersion = writeHeaders(request)
      const events = await readBatch(request, codec.form, parts.settings)
      return write(parts, request, context, { stream, expectedVersion, events })
    }
    if (!codec.isJson) throw new AppError('media-type-unsupported', 'Metadata is JSON')
    const type = headerOf(request, 'EventType')
    if (type !== undefined && type !== METADATA_TYPE) {
      const message = 'Bad Request. You should not include an event type for metadata.'
      throw new AppError('bad-header', message, { header: 'ES-EventType' })
    }
    const eventId = parseGuid(headerOf(request, 'EventId') ?? '', 'ES-EventId header')
    const expectedVersion = writeHeaders(request)
    const name = { eventId, eventType: METADATA_TYPE as EventType }
    const events = [await singleEvent(request, codec, name, parts.settings)]
    return write(parts, request, context, { stream, expectedVersion, events })
  }
}

/** The newest document; an empty one where the stream is there but has none. */
export function readMetadata(parts: AtomParts): Handler {
  return async (request, context) => {
    const stream = streamParameter(context.parameters)
    const described = await parts.streams.info(stream)
    const isThere = described.state === 'live' || stream === ALL_STREAM
    const read = readEvent(parts, {
      streamOf: metadataParameter,
      numberOf: () => 'head',
      followsLinks: false,
      missing: ({ state }, codec) => {
        return state === 'missing' && isThere ? emptyDocument(codec, stream) : undefined
      },
    })
    return read(request, context)
  }
}

async function emptyDocument(codec: Codec, stream: StreamName): Promise<HttpResponse> {
  const isJson = /\bjson$/.test(codec.mediaType)
  return {
    status: 200,
    headers: {
      ...typeHeaders(codec),
      vary: 'Accept',
      'cache-control': 'max-age=0, no-cache, must-revalidate',
    },
    body: codec.form === 'html' ? await emptyPage(stream) : isJson ? '{}' : '',
  }
}

async function emptyPage(stream: StreamName): Promise<string> {
  const { htmlPage } = await import('./html.ts')
  return htmlPage(`Metadata of '${stream}'`, '<p>There is none.</p>')
}
