import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { beforeEach, describe, expect, it } from 'vitest'
import { SHAPES, environmentOf } from '../../scripts/deploy/environments.ts'
import { main as deploy } from '../../scripts/deploy/main.ts'
import type { Session } from '../../scripts/deploy/session.ts'
import { readTemplateValues, type TemplateValues } from '../../scripts/deploy/subscription/read-template-values.ts'
import { PROVIDERS, requireProviders } from '../../scripts/deploy/subscription/require-providers.ts'
import { bicep } from '../bicep/compiler.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { SUBSCRIPTION } from '../support/azure/subscription.ts'

it('the providers are those of what the templates deploy, and App', () => {
  const snapshots = globSync('test/bicep/snapshots/*.json').map(
    (file) => JSON.parse(readFileSync(file, 'utf8')) as { predictedResources: { type: string }[] },
  )
  expect(snapshots.length).toBeGreaterThanOrEqual(3)
  const types = snapshots.flatMap(({ predictedResources }) => predictedResources.map(({ type }) => type))
  const used = new Set(types.map((type) => type.split('/')[0]?.toLowerCase()))
  expect(new Set(PROVIDERS.map((name) => name.toLowerCase()))).toEqual(used.add('microsoft.app'))
})

it.each([true, false])('and Search, where a service of our own is made: %s', async (makesSearch) => {
  const session = { run: () => Promise.resolve(JSON.stringify(PROVIDERS)) } as unknown as Session
  const asked = requireProviders(session, { makesSearch } as TemplateValues)
  if (makesSearch) await expect(asked).rejects.toThrow('may not use Microsoft.Search yet')
  else await expect(asked).resolves.toBeUndefined()
})

it.each([
  [{}, {}],
  [{ searchIndex: { value: 'documents' } }, { makesSearch: true }],
  [{ searchIndex: { value: 'documents' }, existing: { value: { search: { name: 'x', resourceGroup: 'y' } } } }, {}],
  [{ existing: { value: { openAi: { name: 'x', resourceGroup: 'y' } } } }, { models: [] }],
  [{ existing: { value: { postgres: '/subscriptions/x' } } }, { postgres: undefined }],
  [{ existing: { value: { postgresHost: 'x', postgresMaxConnections: 859 } } }, { postgres: undefined }],
  [{ existing: { value: {} } }, {}],
])('of what is there already nothing is looked for: %j', async (given, expected) => {
  const { dev } = SUBSCRIPTION['template-values.json']
  const answer = { parametersJson: JSON.stringify({ parameters: { ...dev, ...given } }) }
  const session = {
    run: () => Promise.resolve(JSON.stringify(answer)),
    environment: environmentOf('dev', { location: 'westeurope', time: '' }),
  } as unknown as Session
  const without = { makesSearch: false, models: [{ model: 'gpt-5.4-mini' }], postgres: { skuName: 'Standard_B2ms' } }
  expect(await readTemplateValues(session, {})).toMatchObject({ ...without, ...expected })
})

it.skipIf(bicep === undefined).each(SHAPES)(
  'the values of %s are read from what the compiler says',
  async (shape) => {
    const environment = environmentOf(shape, { location: 'westeurope', time: '' })
    const run: Session['run'] = async ({ args, env }) => {
      const [, , , file = '', stdout = ''] = args
      const { stdout: text } = await promisify(execFile)(bicep ?? '', ['build-params', file, stdout], {
        env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', ...env },
      })
      return text
    }
    const session = { run, environment } as unknown as Session
    const values = await readTemplateValues(session, { OPENAI_CAPACITY: '70', ALERT_EMAILS: '' })
    expect(values).toMatchObject({
      openAiLocation: 'westeurope',
      models: [{ model: 'gpt-5.4-mini', sku: 'GlobalStandard', capacity: 70 }],
      postgres: { skuName: expect.stringMatching(/^Standard_/), highAvailability: shape === 'production' },
      zoneRedundant: shape === 'production',
      makesSearch: false,
    })
  },
  60_000,
)

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const first = (shape = 'production') => cloud.run(deploy, shape, '--yes')
const created = async () => (await cloud.calls()).some((line) => line.includes('sub create'))

describe('a first deployment is refused', () => {
  it.each([
    ['by an old compiler', 'bicep-version.json', 'Bicep CLI version 0.35.9 (x)', 'Bicep 0.35.9', 'az bicep upgrade'],
    ['without quota', 'usage.json', usage(401), '99 of 500 are left, and 100 are asked for', 'OPENAI_CAPACITY=99'],
    ['without any quota', 'usage.json', usage(500), '0 of 500 are left', 'take another region'],
    ['of a model that the region lacks', 'models.json', [], 'westeurope has no gpt-5.4-mini 2026-03-17', '--location'],
    ['of a kind of deployment that it lacks', 'models.json', models({}, 'Standard'), '(GlobalStandard)', '--location'],
    [
      'of a model that has ended',
      'models.json',
      models({ inference: '2026-01-02' }),
      'ended on 2026-01-02',
      'model-change',
    ],
    ['without zones', 'zonal-regions.json', [{ name: 'northeurope' }], 'no several zones in westeurope', 'northeurope'],
    [
      'where the size is not',
      'sizes.json',
      sizes('Standard_D2ds_v5'),
      'no servers of size Standard_D4ds_v5',
      'list-skus',
    ],
    [
      'where the standby is not',
      'sizes.json',
      sizes('Standard_D4ds_v5', 'SameZone'),
      'no standby in another',
      'list-skus',
    ],
  ])('%s', async (_, file, value, words, hint) => {
    await cloud.set(file, value)
    const { code, stderr } = await first()
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(words) })
    expect(stderr).toContain(hint)
    expect(stderr).toContain('Nothing was changed.')
    expect(await created()).toBe(false)
  })

  it('without a compiler', async () => {
    await cloud.fail('bicep version', 'ERROR: Bicep CLI not found. Install it now by running "az bicep install".')
    expect((await first()).stderr).toContain('az bicep install')
    expect(await created()).toBe(false)
  })
})

describe('a deployment goes on', () => {
  it('where dev needs no zones, and less capacity is asked for', async () => {
    await cloud.set('zonal-regions.json', [])
    await cloud.set('usage.json', usage(401))
    cloud.env['OPENAI_CAPACITY'] = '99'
    expect(await first('dev')).toMatchObject({ code: 0, stderr: '' })
  })

  it('where models and a server are used that are there', async () => {
    await cloud.set('sizes.json', sizes('Standard_D2ds_v5'))
    cloud.env['POSTGRES_SERVER_ID'] = '/subscriptions/x/y'
    expect(await first()).toMatchObject({ code: 0, stderr: '' })
  })

  it('where an answer can not be read, and says so', async () => {
    await cloud.set('sizes.json', [{ reason: 'restricted' }])
    await cloud.set('usage.json', [])
    await cloud.set('bicep-version.json', 'something else')
    await cloud.fail('--zone-redundant', 'ERROR: unrecognized arguments: --zone-redundant true')
    const { code, stdout } = await first()
    expect(code).toBe(0)
    for (const words of [
      'sizes of Postgres',
      'quota OpenAI.GlobalStandard.gpt-5.4-mini is not one',
      'several zones for',
      'which Bicep',
    ])
      expect(stdout).toContain(words)
  })

  it.each([
    ['list-flexconsumption-locations', 'which regions have Flex Consumption could not be read'],
    ['cognitiveservices usage list', 'quotas of models in westeurope could not be read'],
    ['cognitiveservices model list', 'which models westeurope has could not be read'],
    ['list-skus', 'sizes of Postgres could not be read'],
  ])('where one reading fails, and says so: %s', async (match, words) => {
    await cloud.fail(match)
    expect(await first('dev')).toMatchObject({ code: 0, stdout: expect.stringContaining(words) })
  })

  it.each([
    ['the model', { inference: inDays(100), deployment: inDays(400) }],
    ['its kind of deployment', { inference: inDays(400), deployment: inDays(100) }],
  ])('and says that %s ends soon', async (_, dates) => {
    await cloud.set('models.json', models(dates))
    const { code, stdout } = await first('dev')
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/ends in (?:99|100) days, on 20/) })
  })

  it('and says nothing of a model that goes on for long', async () => {
    await cloud.set('models.json', models({ inference: inDays(181 + 1) }))
    expect((await first('dev')).stdout).not.toContain('model-change')
  })

  it('where it can not be read whether what is used is its own', async () => {
    await cloud.set('usage.json', usage(500))
    await cloud.fail('group exists')
    expect(await first('dev')).toMatchObject({ code: 0, stdout: expect.stringContaining('may be in use here already') })
  })

  it('where the environment is there, or was begun, and says what a new one would lack', async () => {
    await cloud.fail('--name func-app --src')
    await first()
    await cloud.set('usage.json', usage(500))
    await cloud.set('sizes.json', sizes('Standard_D2ds_v5'))
    await cloud.set('models.json', models({ inference: '2026-01-02' }))
    const again = await first()
    expect(again).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('part of which may be in use here already'),
    })
    expect(again.stdout).toContain('gpt-5.4-mini 2026-03-17 (GlobalStandard) has ended on 2026-01-02')
    expect(again.stdout).toContain('no servers of size Standard_D4ds_v5, says Azure of new servers')
    await cloud.set('groups.json', { 'rg-taskforce-dev': null })
    await cloud.set('sizes.json', sizes('Standard_B2ms'))
    expect((await first('dev')).code).toBe(0)
  })
})

/** The model that is pinned, as the region offers it. */
function models(
  { inference, deployment }: { inference?: string; deployment?: string },
  sku = 'GlobalStandard',
): unknown {
  const skus = [{ name: sku, deprecationDate: deployment ?? null }]
  return [{ name: 'gpt-5.4-mini', version: '2026-03-17', ends: inference ?? null, skus }]
}

function usage(currentValue: number): unknown {
  return [{ name: { value: 'OpenAI.GlobalStandard.gpt-5.4-mini' }, currentValue, limit: 500 }]
}

function sizes(name: string, ...supportedHaMode: string[]): unknown {
  return [{ supportedServerEditions: [{ name: 'x', supportedServerSkus: [{ name, supportedHaMode }] }] }]
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString()
}
