import { expect, test } from 'vitest'
import { Turns } from '../../src/kit/turns.ts'

test('work begins when the work before it has ended, however that ended', async () => {
  const turns = new Turns()
  const steps: string[] = []
  let end = () => {}
  const first = turns.take(async () => {
    steps.push('first begins')
    await new Promise<void>((resolve) => {
      end = resolve
    })
    steps.push('first fails')
    throw new Error('of the first')
  })
  const second = turns.take(async () => {
    steps.push('second begins')
    return 2
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(steps).toEqual(['first begins'])
  end()
  await expect(first).rejects.toThrow('of the first')
  expect(await second).toBe(2)
  await turns.over()
  expect(steps).toEqual(['first begins', 'first fails', 'second begins'])
})
