import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isCi } from '../../scripts/mission/terminal.ts'
import { bicep, startCompiler, type Compiler } from './compiler.ts'
import { ENVIRONMENTS, pinned, templateSchema, type Template } from './environments.ts'
import { deployedBy } from './variants.ts'

const files = readdirSync('bicep').filter((name) => /\.(bicep|bicepparam)$/.test(name))

it.runIf(isCi(process.env))('CI has a Bicep compiler', () => {
  expect(bicep, 'no Bicep compiler: npm run bicep:install').toBeDefined()
})

const unlessMissing = bicep === undefined ? describe.skip : describe
if (bicep === undefined) console.warn('No Bicep compiler, so bicep/ is not compiled here: npm run bicep:install')

// The first answer takes 3 s of processor; on a machine that is busy that is long.
unlessMissing('bicep/', { timeout: 120_000 }, () => {
  let compiler: Compiler
  let template: Template
  let said: string[]
  beforeAll(async () => {
    compiler = startCompiler(bicep ?? '', { AZURE_ENV_NAME: 'production' })
    const { template: compiled, diagnostics } = await compiler.compile(resolve('bicep/main.bicep'))
    said = diagnostics
    template = templateSchema.parse(compiled)
  }, 120_000)
  afterAll(() => compiler.close())

  it('compiles and lints without a word', () => {
    expect(said).toEqual([])
  })

  it.each([...ENVIRONMENTS, 'main'])('%s.bicepparam compiles and lints without a word', async (name) => {
    expect(await compiler.compileParams(resolve(`bicep/${name}.bicepparam`))).toEqual([])
  })

  // When one fails: read the difference, and `npm run bicep:snapshot` if it is what was meant.
  it.each(ENVIRONMENTS)('what %s deploys is what is pinned', async (name) => {
    const snapshot = await compiler.snapshot(resolve(`bicep/${name}.bicepparam`))
    await expect(`${JSON.stringify(snapshot, null, 2)}\n`).toMatchFileSnapshot(`snapshots/${name}.json`)
  })

  it('what azd deploys under the name of production is production, as nothing says otherwise', async () => {
    const { resources } = await deployedBy(compiler, 'bicep/main.bicepparam')
    expect(resources).toEqual(pinned('production'))
  })

  it.each(files)('%s is formatted', async (name) => {
    expect(await compiler.format(resolve('bicep', name))).toBe(readFileSync(join('bicep', name), 'utf8'))
  })

  it('switches off two rules, each with its reason', () => {
    const off = files.flatMap((name) => readFileSync(join('bicep', name), 'utf8').match(/#disable-.*/g) ?? [])
    expect(off.map((line) => /#disable-next-line (\S+) \/\/ \w.+\.$/.exec(line)?.[1]).sort()).toEqual([
      'BCP037',
      'use-resource-id-functions',
    ])
  })

  it('writes one after another what the services take one at a time', () => {
    expect(copyOf(template, 'postgres', 'firewall')).toMatchObject({ mode: 'serial', batchSize: 1 })
    expect(copyOf(template, 'postgres', 'configurations')).toMatchObject({ mode: 'serial', batchSize: 1 })
    expect(copyOf(template, 'postgres', 'people')).toMatchObject({ mode: 'serial', batchSize: 1 })
    expect(copyOf(template, 'openAi', 'deployments')).toMatchObject({ mode: 'serial', batchSize: 1 })
    expect(template.resources['endpoints']?.copy).toMatchObject({ mode: 'serial', batchSize: 1 })
    const order = ['database', 'firewall', 'configurations', 'migratorAdministrator', 'people', 'threatProtection']
    order.slice(1).forEach((name, index) => {
      expect(dependenciesOf(template, 'postgres', name)).toContain(order[index])
    })
  })

  it('starts the apps after their roles, their containers and their private endpoints', () => {
    for (const [app, storage] of Object.entries({ functionApp: 'hostStorage', migrator: 'migratorStorage' })) {
      const before = template.resources[app]?.dependsOn ?? []
      expect(before).toEqual(expect.arrayContaining(['roles', 'endpoints', storage, 'postgres']))
    }
    expect(template.resources['functionApp']?.dependsOn).toEqual(expect.arrayContaining(['openAiRoles', 'searchRoles']))
    expect(template.resources['endpoints']?.dependsOn).toContain('privateDns')
    expect(template.resources['deploySiteRoles']?.dependsOn).toEqual(
      expect.arrayContaining(['functionApp', 'migrator']),
    )
  })

  it('gives rights on what is there by then, and addresses into zones that are', () => {
    // None of them is told a value of the other, from which Azure would know the order.
    const order = { openAiRoles: 'openAi', searchRoles: 'search', siteEndpoints: 'privateDns' }
    const early = Object.entries(order).filter(([name, first]) => !template.resources[name]?.dependsOn.includes(first))
    expect(early).toEqual([])
  })

  it('refuses too few connections with its first resource', () => {
    // The compiler evaluates each variable, Azure only what is used.
    expect(template.resources['group']).toMatchObject({ dependsOn: [], location: "[variables('checkedLocation')]" })
  })

  it('tells of itself under a fixed name, after everything else but the budget, which Azure may refuse', () => {
    expect(template.resources['outputs']).toMatchObject({ name: 'taskforce-outputs', resourceGroup: expect.anything() })
    const others = Object.entries(template.resources).filter(([name, one]) => name !== 'outputs' && !one.existing)
    expect(['budget', ...allBefore(template, 'outputs')].sort()).toEqual(others.map(([name]) => name).sort())
  })

  it('keeps what the shell gave, beside that', () => {
    const { parameters, template: module } = template.resources['outputs']?.properties ?? {}
    expect(parameters?.['fromShell']).toEqual({ value: "[parameters('fromShell')]" })
    expect(module?.outputs?.['fromShell']?.value).toBe("[parameters('fromShell')]")
  })

  it('gives out what azd and npm run deploy read, and no secret', () => {
    const given = template.resources['outputs']?.properties?.parameters?.['environment']?.value ?? {}
    expect(Object.keys(given).sort()).toEqual(OUTPUTS)
    const outputs = Object.entries(template.outputs)
    expect(outputs.map(([name]) => name).sort()).toEqual(OUTPUTS)
    for (const [name, { value }] of outputs) {
      expect(value).toMatch(new RegExp(`^\\[reference\\('outputs'\\)\\.outputs\\.environment\\.value\\.${name}\\]$`))
    }
    expect(JSON.stringify(template)).not.toMatch(/securestring|secureobject|listKeys|listAdminKeys|getSecret/i)
  })
})

/** Read by azd, by scripts/ and by runbooks. */
const OUTPUTS = [
  'API_KEY_SECRET_NAME',
  'API_URL',
  'AZURE_ENV_NAME',
  'AZURE_FUNCTION_APP_NAME',
  'AZURE_KEY_VAULT_NAME',
  'AZURE_LOCATION',
  'AZURE_MIGRATOR_APP_NAME',
  'AZURE_RESOURCE_GROUP',
  'AZURE_STORAGE_ACCOUNT',
  'AZURE_TENANT_ID',
  'DEPLOYERS_SUBNET_ID',
  'DEPLOYER_CLIENT_ID',
  'DEPLOYMENTS_CONTAINER',
  'MIGRATOR_URL',
  'POSTGRES_DATABASE',
  'POSTGRES_HOST',
  'TASKFORCE_ENVIRONMENT',
]

/** What has to be there before a resource of main.bicep, through others too. */
function allBefore(template: Template, name: string, seen = new Set<string>()): Set<string> {
  for (const before of template.resources[name]?.dependsOn ?? []) {
    if (seen.has(before)) continue
    seen.add(before)
    allBefore(template, before, seen)
  }
  return seen
}

function inner(template: Template, module: string, name: string) {
  const found = template.resources[module]?.properties?.template?.resources[name]
  if (found === undefined) throw new Error(`${module}.bicep has no resource ${name}`)
  return found
}

function copyOf(template: Template, module: string, name: string) {
  return inner(template, module, name).copy
}

function dependenciesOf(template: Template, module: string, name: string): string[] {
  return inner(template, module, name).dependsOn
}
