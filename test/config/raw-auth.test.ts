import { expect, it } from 'vitest'
import { rawAuth } from '../../src/config/raw-auth.ts'

const REFERENCE = '@Microsoft.KeyVault(SecretUri=https://name.vault.azure.net/secrets/taskforce-api-key)'

it('a reference that Azure did not resolve is nobody’s key', () => {
  expect(rawAuth({ TASKFORCE_API_KEY: REFERENCE })).toEqual({ mode: 'keys', apiKey: undefined })
  expect(rawAuth({ TASKFORCE_API_KEY: 'a-real-key-0123456789' }).apiKey).toBe('a-real-key-0123456789')
})
