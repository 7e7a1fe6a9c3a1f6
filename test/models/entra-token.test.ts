import { expect, test } from 'vitest'
import { entraToken } from '../../src/models/entra-token.ts'

test('a token that does not come in time may come later', async () => {
  const credential = () => Promise.resolve({ getToken: () => new Promise<never>(() => undefined) })
  await expect(entraToken(credential, 20)()).rejects.toMatchObject({
    name: 'RetryableError',
    message: expect.stringContaining('(no answer in time)') as string,
  })
})
