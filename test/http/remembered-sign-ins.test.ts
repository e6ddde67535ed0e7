import { describe, expect, it } from 'vitest'
import type { Principal } from '../../src/domain/account.ts'
import { AppError } from '../../src/domain/app-error.ts'
import { type Asked, createRememberedSignIns } from '../../src/http/remembered-sign-ins.ts'

const answerOf = (role: Principal['role'], mayBeRemembered = true): Asked => ({
  principal: { name: 'ann', role, isAnonymous: false },
  mayBeRemembered,
})

function open() {
  const state = {
    stamp: 1 as number | undefined,
    asked: 0,
    role: 'reader' as Principal['role'],
    mayBeRemembered: true,
  }
  const remembered = createRememberedSignIns(() => state.stamp)
  const ask = async (): Promise<Asked> => {
    state.asked++
    return answerOf(state.role, state.mayBeRemembered)
  }
  const refuse = async (): Promise<Asked> => {
    state.asked++
    throw new AppError('credentials-wrong', 'no')
  }
  return { state, find: (header: string) => remembered.find(header, ask), refuse, remembered }
}

describe('a remembered sign-in', () => {
  it('is found again for the same header, while the accounts are untouched', async () => {
    const { state, find } = open()
    expect(await find('Basic a')).toMatchObject({ name: 'ann', role: 'reader' })
    expect(await find('Basic a')).toMatchObject({ name: 'ann', role: 'reader' })
    expect(state.asked).toBe(1)
  })

  it('is not made of a password that can be guessed', async () => {
    const { state, find } = open()
    state.mayBeRemembered = false
    expect(await find('Basic a')).toMatchObject({ name: 'ann' })
    state.stamp = undefined
    expect(await find('Basic a')).toMatchObject({ name: 'ann' })
    state.stamp = 1
    await find('Basic a')
    expect(state.asked).toBe(3)
  })

  it('says nothing about another header', async () => {
    const { state, find } = open()
    await find('Basic a')
    await find('Basic b')
    expect(state.asked).toBe(2)
  })

  it('is over at the next request once the accounts have changed', async () => {
    const { state, find } = open()
    await find('Basic a')
    state.stamp = 2
    state.role = 'admin'
    expect(await find('Basic a')).toMatchObject({ role: 'admin' })
    expect(state.asked).toBe(2)
  })

  it('is not made by an answer that is older than a change', async () => {
    const { state, remembered, find } = open()
    let answer: (asked: Asked) => void = () => {}
    const slow = remembered.find('Basic a', () => new Promise((resolve) => (answer = resolve)))
    state.stamp = 2
    await find('Basic b')
    answer(answerOf('admin'))
    await slow
    expect(await find('Basic a')).toMatchObject({ role: 'reader' })
  })

  it('is not used where nobody can tell whether the accounts have changed', async () => {
    const { state, find } = open()
    await find('Basic a')
    state.stamp = undefined
    await find('Basic a')
    expect(state.asked).toBe(2)
  })

  it('is none that was refused: every wrong try is looked at', async () => {
    const { state, remembered, refuse } = open()
    for (const _ of [1, 2, 3]) {
      await expect(remembered.find('Basic a', refuse)).rejects.toMatchObject({
        code: 'credentials-wrong',
      })
    }
    expect(state.asked).toBe(3)
  })
})
