import { describe, expect, it } from 'vitest'
import type { Route } from '../../src/http/handler.ts'
import { allowedMethods, createRouter } from '../../src/http/router.ts'

const route = (method: Route['method'], path: string): Route => ({
  method,
  path,
  access: 'public',
  handler: async () => ({ status: 200, headers: {} }),
})

const router = createRouter([
  route('GET', '/'),
  route('GET', '/things'),
  route('POST', '/things/check'),
  route('GET', '/things/:id'),
  route('HEAD', '/things/:id'),
  route('PUT', '/things/:name'),
  route('GET', '/things/:id/parts/:part'),
])

const found = (method: string, path: string) => {
  const match = router.find(method, path)
  return match.kind === 'route'
    ? [match.route.method, match.route.path, { ...match.parameters }]
    : match.kind === 'none'
      ? 'none'
      : match.methods
}

describe('the router', () => {
  it.each([
    ['GET', '/', ['GET', '/', {}]],
    ['GET', '/things', ['GET', '/things', {}]],
    ['GET', '/things/', ['GET', '/things', {}]],
    ['HEAD', '/things', ['GET', '/things', {}]],
    ['GET', '/things/a', ['GET', '/things/:id', { id: 'a' }]],
    ['HEAD', '/things/a', ['HEAD', '/things/:id', { id: 'a' }]],
    ['PUT', '/things/a', ['PUT', '/things/:name', { name: 'a' }]],
    ['GET', '/things/a/parts/b', ['GET', '/things/:id/parts/:part', { id: 'a', part: 'b' }]],
  ])('finds %s %s', (method, path, expected) => {
    expect(found(method, path)).toEqual(expected)
  })

  it.each([
    ['/things/a%2Fb', 'a/b'],
    ['/things/a%252Fb', 'a%2Fb'],
    ['/things/%25', '%'],
    ['/things/$all@x', '$all@x'],
    ['/things/%24all', '$all'],
    ['/things/%F0%9F%8E%89+', '🎉+'],
    ['/things/__proto__', '__proto__'],
    ['/things/..%2F..', '../..'],
  ])('decodes the parameter of %s once', (path, id) => {
    expect(found('GET', path)).toEqual(['GET', '/things/:id', { id }])
  })

  it('takes an escaped letter for the letter, but never an escaped slash for a slash', () => {
    expect(found('GET', '/%74hings')).toEqual(['GET', '/things', {}])
    expect(found('GET', '/things%2Fa')).toBe('none')
    expect(found('POST', '/things%2Fcheck')).toBe('none')
  })

  it.each(['/nope', '//things', '/things/a/b', '/THINGS/a', '/things//parts/b'])(
    'finds nothing at %s',
    (path) => {
      expect(found('GET', path)).toBe('none')
    },
  )

  it('names the methods of a path that does not know the one asked for', () => {
    expect(found('DELETE', '/things/a')).toEqual(['GET', 'HEAD', 'PUT'])
    expect(allowedMethods(['PUT', 'GET', 'GET'])).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT'])
    expect(allowedMethods(['GET'], false)).toEqual(['GET', 'OPTIONS'])
  })

  it('lets a path without parameters hide those with them', () => {
    expect(found('GET', '/things/check')).toEqual(['POST'])
  })

  it.each(['/things/%', '/things/%zz', '/things/%ff', '/things/%C0%AE', '/things/%ED%A0%80'])(
    'refuses %s',
    (path) => {
      expect(() => router.find('GET', path)).toThrow(
        expect.objectContaining({ code: 'bad-request' }),
      )
    },
  )
})
