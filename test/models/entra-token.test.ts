import { expect, test } from 'vitest'
import { entraToken } from '../../src/models/entra-token.ts'

test('a token that does not come in time may come later', async () => {
  const credential = () => Promise.resolve({ getToken: () => new Promise<never>(() => undefined) })
  await expect(entraToken(credential, 20)()).rejects.toMatchObject({
    name: 'RetryableError',
    message: expect.stringContaining('(no answer in time)') as string,
  })
})

test('a credential that could not be loaded is loaded again for the next token', async () => {
  let loads = 0
  const token = entraToken(() => {
    loads++
    if (loads === 1) return Promise.reject(new Error('not yet'))
    return Promise.resolve({ getToken: () => Promise.resolve({ token: 'late', expiresOnTimestamp: Date.now() + 9e6 }) })
  })
  await expect(token()).rejects.toMatchObject({ code: 'model_auth' })
  expect(await token()).toBe('late')
  expect(await token()).toBe('late')
  expect(loads).toBe(2)
})
