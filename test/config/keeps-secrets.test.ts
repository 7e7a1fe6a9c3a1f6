import { expect, test } from 'vitest'
import { keepsSecrets } from '../../src/config/keeps-secrets.ts'

test.each([
  'https://name.openai.azure.com',
  'HTTPS://NAME.example.com/path',
  'http://localhost:11434/v1',
  'http://LOCALHOST',
  'http://127.0.0.1:1',
  'http://127.9.9.9',
  'http://127.1',
  'http://[::1]:8080',
  'http://[0:0:0:0:0:0:0:1]',
])('%s keeps secrets', (url) => {
  expect(keepsSecrets(url)).toBe(true)
})

test.each([
  'http://name.openai.azure.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'http://notlocalhost',
  'http://localhost@example.com',
  'http://128.0.0.1',
  'http://10.0.0.1',
  'http://[::]',
  'http://[::1:1]',
  'ftp://localhost',
  'file:///etc',
  'localhost:11434',
  'no url',
  '',
])('%s does not', (url) => {
  expect(keepsSecrets(url)).toBe(false)
})
