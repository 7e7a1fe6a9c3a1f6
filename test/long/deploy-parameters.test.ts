import { globSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { READ } from '../../scripts/deploy/parameters/read-from-azure.ts'
import { OF_ONE_RUN, REMEMBERED } from '../../scripts/deploy/parameters/remember.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { ACCOUNT, createCloud, type Cloud } from '../support/azure/cloud.ts'

it('every variable that the parameter files read is one that a deployment knows where to take from', () => {
  // main.bicepparam is azd's.
  const files = globSync('bicep/*.bicepparam').filter((file) => !file.endsWith('main.bicepparam'))
  const read = files.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/readEnvironmentVariable\('([A-Z_]+)'/g),
  ])
  expect(new Set(read.map(([, name]) => name))).toEqual(new Set([...REMEMBERED, ...OF_ONE_RUN, ...READ]))
})

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

async function deployed(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes', ...words)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('parameters of the shell', () => {
  it('are remembered, and what the next shell leaves out is taken from there and said', async () => {
    Object.assign(cloud.env, { ALERT_EMAILS: 'ops@example.com', OPENAI_CAPACITY: '50' })
    await deployed()
    delete cloud.env['ALERT_EMAILS']
    cloud.env['OPENAI_CAPACITY'] = '60'
    const said = await deployed()
    expect(said).toContain('as before: ALERT_EMAILS=ops@example.com')
    expect(said).not.toContain('as before: OPENAI_CAPACITY')
    for (const verb of ['deployment sub what-if', 'deployment sub create'])
      expect(await cloud.parametersOf(verb)).toMatchObject({
        ALERT_EMAILS: 'ops@example.com',
        OPENAI_CAPACITY: '60',
        TASKFORCE_ENVIRONMENT_NAME: 'staging',
      })
  })

  it('are remembered through a rollback, and where the infrastructure is left alone', async () => {
    await deployed()
    cloud.env['ALLOWED_ADDRESSES'] = '192.0.2.7'
    cloud.source.commit = 'b'.repeat(40)
    await deployed('--skip-infra')
    delete cloud.env['ALLOWED_ADDRESSES']
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(0)
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).toMatchObject({ ALLOWED_ADDRESSES: '192.0.2.7' })
  })

  it('are taken back by an empty one, for good', async () => {
    cloud.env['OPENAI_CAPACITY'] = '50'
    await deployed()
    cloud.env['OPENAI_CAPACITY'] = ''
    await deployed()
    // Not an empty one, which is no number: the templates' own value counts.
    expect(await cloud.parametersOf('deployment sub create')).not.toHaveProperty('OPENAI_CAPACITY')
    delete cloud.env['OPENAI_CAPACITY']
    expect(await deployed()).not.toContain('as before')
    expect(await cloud.parametersOf('deployment sub create')).not.toHaveProperty('OPENAI_CAPACITY')
  })
})

describe('parameters that Azure knows', () => {
  it('are the beginning of the budget, since Azure takes no other', async () => {
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).not.toHaveProperty('BUDGET_START')
    await cloud.set('budget-start.json', '2026-09-01T00:00:00Z')
    await deployed()
    for (const verb of ['deployment sub what-if', 'deployment sub create'])
      expect(await cloud.parametersOf(verb)).toMatchObject({ BUDGET_START: '2026-09-01' })
    await cloud.fail('Consumption', 'ERROR: (AuthorizationFailed) no')
    expect(await deployed()).toContain('the budget was not read')
  })

  it('are the storage of the server that is used, which has grown', async () => {
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).not.toHaveProperty('POSTGRES_STORAGE_GB')
    await cloud.set('servers.json', [
      { host: 'restored.postgres.database.azure.com', gb: 1024 },
      { host: '127.0.0.1', gb: 128 },
    ])
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).toMatchObject({ POSTGRES_STORAGE_GB: '128' })
    cloud.env['POSTGRES_STORAGE_GB'] = '512'
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).toMatchObject({ POSTGRES_STORAGE_GB: '512' })
  })

  it.each([
    ['user', 'User'],
    ['servicePrincipal', 'ServicePrincipal'],
  ])('are what is signed in: %s', async (type, principal) => {
    await cloud.set('account.json', { ...ACCOUNT, user: { ...ACCOUNT.user, type } })
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).toMatchObject({ AZURE_PRINCIPAL_TYPE: principal })
  })
})
