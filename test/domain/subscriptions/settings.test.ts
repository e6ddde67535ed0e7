import { describe, expect, it } from 'vitest'
import {
  changedSettings,
  DEFAULT_GROUP_SETTINGS,
  parseGroupSettings,
  toldSettings,
} from '../../../src/domain/subscription-settings.ts'

const parse = (members: Record<string, unknown>) => parseGroupSettings(Object.entries(members))

describe('settings of a subscription group', () => {
  it('are the defaults where nothing, null or something unknown is sent', () => {
    expect(parse({})).toEqual(DEFAULT_GROUP_SETTINGS)
    expect(parse({ maxRetryCount: null, bufferSize: undefined, other: 1 })).toEqual(
      DEFAULT_GROUP_SETTINGS,
    )
  })

  it('are taken in any case, and as text', () => {
    expect(
      parse({ RESOLVELINKTOS: 'True', StartFrom: '-1', readbatchsize: 121, extraStatistics: true }),
    ).toEqual({
      ...DEFAULT_GROUP_SETTINGS,
      resolveLinktos: true,
      startFrom: -1,
      readBatchSize: 121,
      extraStatistics: true,
    })
  })

  it.each([
    ['Start', 0],
    ['end', -1],
    ['17', 17],
    [3, 3],
  ])('take the position %j for startFrom', (startPosition, startFrom) => {
    expect(parse({ startPosition })).toMatchObject({ startFrom })
  })

  it.each([
    [{ preferRoundRobin: false }, 'DispatchToSingle'],
    [{ preferRoundRobin: true }, 'RoundRobin'],
    [{ namedConsumerStrategy: 'pinned' }, 'Pinned'],
    [
      { namedConsumerStrategy: 'PinnedByCorrelation', preferRoundRobin: false },
      'PinnedByCorrelation',
    ],
  ])('with %j have the strategy %s', (members, namedConsumerStrategy) => {
    expect(parse(members)).toMatchObject({ namedConsumerStrategy })
  })

  it.each([
    [{ readBatchSize: 500 }, 'readBatchSize'],
    [{ bufferSize: 20 }, 'readBatchSize'],
    [{ readBatchSize: 0 }, 'readBatchSize'],
    [{ bufferSize: 0 }, 'bufferSize'],
    [{ liveBufferSize: 0 }, 'liveBufferSize'],
    [{ startFrom: -2 }, 'startFrom'],
    [{ startFrom: 1.5 }, 'startFrom'],
    [{ startPosition: 'middle' }, 'startPosition'],
    [{ maxRetryCount: -1 }, 'maxRetryCount'],
    [{ maxRetryCount: 2_147_483_648 }, 'maxRetryCount'],
    [{ maxRetryCount: [1] }, 'maxRetryCount'],
    [{ messageTimeoutMilliseconds: 'soon' }, 'messageTimeoutMilliseconds'],
    [{ resolveLinkTos: 1 }, 'resolveLinktos'],
    [{ namedConsumerStrategy: 'Chaos' }, 'namedConsumerStrategy'],
  ])('%j are refused for %s', (members, field) => {
    expect(() => parse(members)).toThrow(
      expect.objectContaining({ code: 'bad-field', facts: { field } }),
    )
  })

  it('are told under the names that clients look for', () => {
    expect(toldSettings(parse({ resolveLinkTos: true, readBatchSize: 121 }))).toEqual({
      resolveLinktos: true,
      startFrom: 0,
      messageTimeoutMilliseconds: 10_000,
      extraStatistics: false,
      maxRetryCount: 10,
      liveBufferSize: 500,
      bufferSize: 500,
      readBatchSize: 121,
      checkPointAfterMilliseconds: 1000,
      minCheckPointCount: 10,
      maxCheckPointCount: 500,
      maxSubscriberCount: 10,
      preferRoundRobin: true,
      namedConsumerStrategy: 'RoundRobin',
    })
  })

  it('are kept where they differ from the defaults', () => {
    expect(changedSettings(parse({ maxRetryCount: 10, bufferSize: 100 }))).toEqual({
      bufferSize: 100,
    })
  })
})
