import { expect, test, vi } from 'vitest'
import { entraCredential } from '../../src/config/entra-credential.ts'

const made: object[] = []

vi.mock('@azure/identity', () => ({
  DefaultAzureCredential: function DefaultAzureCredential(options: object) {
    made.push(options)
    if (made.length === 1) throw new Error('the SDK is not ready')
  },
}))

test('a credential that could not be made is made again, and then kept for its client id', async () => {
  await expect(entraCredential()).rejects.toThrow('not ready')
  const credential = await entraCredential()
  expect(await entraCredential()).toBe(credential)
  expect(await entraCredential('an-id')).not.toBe(credential)
  expect(made).toEqual([{}, {}, { managedIdentityClientId: 'an-id' }])
})
