import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { READ } from '../../scripts/deploy/parameters/read-from-azure.ts'
import { OF_ONE_RUN, REMEMBERED } from '../../scripts/deploy/parameters/remember.ts'
import { recordSchema } from '../../scripts/deploy/records.ts'
import { main as rollback } from '../../scripts/rollback/main.ts'
import { bicep } from '../bicep/compiler.ts'
import { ACCOUNT, createCloud, type Cloud } from '../support/azure/cloud.ts'

it('every variable that the parameter files read is one that a deployment knows where to take from', () => {
  // main.bicepparam is azd's.
  const files = globSync('bicep/*.bicepparam').filter((file) => !file.endsWith('main.bicepparam'))
  const read = files.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/readEnvironmentVariable\('([A-Z_]+)'/g),
  ])
  expect(new Set(read.map(([, name]) => name))).toEqual(new Set([...REMEMBERED, ...OF_ONE_RUN, ...READ]))
})

it('the infrastructure keeps those that are remembered, and no others', () => {
  const [, object = ''] =
    /^param fromShell = \{\n([^}]+)\}/m.exec(readFileSync('bicep/shared.bicepparam', 'utf8')) ?? []
  const names = [...object.matchAll(/^ {2}([A-Z_]+): /gm)].map(([, name]) => name)
  expect(names).toEqual([...REMEMBERED].sort())
})

it.skipIf(bicep === undefined)(
  'the parameter file of azd gives them on as the shell has them, and so does ours',
  async () => {
    const GIVEN = {
      ALERT_EMAILS: 'ops@example.com,',
      ALLOWED_ADDRESSES: '192.0.2.7,192.0.2.8',
      OPENAI_CAPACITY: '070',
      OPERATOR_GROUP_ID: 'z',
      POSTGRES_SERVER_ID: '/subscriptions/x',
    }
    expect(await fromShellOf('main', GIVEN)).toEqual(GIVEN)
    expect(await fromShellOf('staging', GIVEN)).toEqual(GIVEN)
    const none = Object.fromEntries(REMEMBERED.map((name) => [name, '']))
    expect(await fromShellOf('staging', none)).toEqual(none)
  },
  120_000,
)

async function fromShellOf(file: string, given: Record<string, string>): Promise<unknown> {
  const { stdout } = await promisify(execFile)(bicep ?? '', ['build-params', `bicep/${file}.bicepparam`, '--stdout'], {
    env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', AZURE_ENV_NAME: 'staging', ...given },
  })
  const { parametersJson } = JSON.parse(stdout) as { parametersJson: string }
  return (JSON.parse(parametersJson) as { parameters: { fromShell: { value: unknown } } }).parameters.fromShell.value
}

it('a record from when records kept parameters is one still', () => {
  const record = {
    environment: 'staging',
    kind: 'deploy',
    outcome: 'deployed',
    version: '0.1.0',
    commit: 'a'.repeat(40),
    codeRevision: 1,
    schema: null,
    package: { blob: 'packages/a.zip', sha256: 'a', bytes: 1 },
    who: 'ada',
    startedAt: '2026-11-22T10:00:00.000Z',
    endedAt: '2026-11-22T10:05:00.000Z',
    runs: true,
  }
  expect(recordSchema.parse({ ...record, parameters: { ALERT_EMAILS: 'x' } })).toEqual(record)
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

  it('are remembered by the infrastructure, also where its first run ended there and another shell went on', async () => {
    const GIVEN = { POSTGRES_SERVER_ID: '/subscriptions/x/y', OPERATOR_GROUP_ID: 'z', ALERT_EMAILS: 'ops@example.com' }
    Object.assign(cloud.env, GIVEN)
    await cloud.fail('lock.json', 'ERROR: The request may be blocked by network rules of storage account.', 100)
    expect((await cloud.run(deploy, 'staging', '--yes')).stderr).toContain('The deployment failed at package')
    await cloud.set('failures.json', [])
    for (const name of Object.keys(GIVEN)) delete cloud.env[name]
    await deployed('--skip-infra')
    cloud.source.commit = 'b'.repeat(40)
    await deployed('--skip-infra')
    expect((await cloud.run(rollback, 'staging', '--yes')).code).toBe(0)
    await deployed()
    expect(await cloud.parametersOf('deployment sub create')).toMatchObject(GIVEN)
    expect(await cloud.written()).not.toContain('"parameters"')
  })

  it('are neither read nor kept where the infrastructure is left alone', async () => {
    cloud.env['ALERT_EMAILS'] = 'ops@example.com'
    await deployed()
    Object.assign(cloud.env, { ALLOWED_ADDRESSES: '192.0.2.7', ALERT_EMAILS: '' })
    expect(await deployed('--skip-infra')).not.toContain('as before')
    for (const name of ['ALLOWED_ADDRESSES', 'ALERT_EMAILS']) delete cloud.env[name]
    expect(await deployed()).toContain('as before: ALERT_EMAILS=ops@example.com')
    expect(await cloud.parametersOf('deployment sub create')).not.toHaveProperty('ALLOWED_ADDRESSES')
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
