import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSignIn } from '../../scripts/azd/sign-in.ts'

const SCOPE = 'https://management.azure.com/.default'

/** The only programs that there are. */
let bin = ''
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'taskforce-sign-in-'))
  vi.stubEnv('PATH', bin)
  // Of some other work: nobody is asked for a token with these.
  for (const name of ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID']) vi.stubEnv(name, '00000000-0000-0000-0000-000000000001')
  vi.stubEnv('AZURE_CLIENT_SECRET', 'a secret')
  vi.stubEnv('IDENTITY_ENDPOINT', 'http://127.0.0.1:1')
  vi.stubEnv('IDENTITY_HEADER', 'a secret')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(bin, { recursive: true, force: true })
})

async function program(name: string, body: string): Promise<void> {
  await writeFile(join(bin, name), `#!${process.execPath}\n${body}`, { mode: 0o755 })
}

const expiresOn = new Date(Date.now() + 3_600_000).toISOString()
const AZD = `console.log(JSON.stringify({ token: 'of azd', expiresOn: '${expiresOn}' }))`
const AZ = `console.log(JSON.stringify({ accessToken: 'of az for ' + process.argv.at(-1), expires_on: ${Math.trunc(Date.now() / 1000) + 3_600} }))`

test('whoever is signed in to azd comes first', async () => {
  await program('azd', AZD)
  await program('az', AZ)
  expect(await createSignIn('the-subscription')(SCOPE)).toBe('of azd')
})

test('else it is who is signed in to the Azure CLI, in the directory of the subscription', async () => {
  await program('azd', `console.error('not logged in, run \`azd auth login\` to login'); process.exit(1)`)
  await program('az', AZ)
  expect(await createSignIn('the-subscription')(SCOPE)).toBe('of az for the-subscription')
})

test('and nobody else, whatever the shell and the machine have', async () => {
  await expect(createSignIn(undefined)(SCOPE)).rejects.toThrow(/azdevclicredential|Azure Developer CLI/)
})
