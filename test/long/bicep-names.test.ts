import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, type Resource } from '../bicep/environments.ts'
import { deployedBy } from '../bicep/variants.ts'

/** What an environment may be called. Without a compiler `compile.test.ts` says that these are skipped too. */
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('the name of an environment', { timeout: 120_000 }, () => {
  let compiler: Compiler
  const deployed = async (path: string) => (await deployedBy(compiler, path)).resources
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '', { TASKFORCE_ENVIRONMENT_NAME: 'trial' })
  })
  afterAll(() => compiler.close())

  it('is the same with capitals, as Azure has it', async () => {
    const [small, capital] = await Promise.all([
      deployed('bicep/dev.bicepparam'),
      deployed('test/bicep/variants/name-with-capitals.bicepparam'),
    ])
    const names = (resources: Resource[]) => resources.map(({ type, name }) => `${type} ${name.toLowerCase()}`).sort()
    // A workbook is named by the id of its group, whose letters Azure keeps as they were first.
    const fixed = (all: string[]) => all.filter((name) => !/\[|workbooks /.test(name))
    expect(fixed(names(capital))).toEqual(fixed(names(small)))
    expect(ofType(capital, 'Microsoft.KeyVault/vaults')).toHaveLength(1)
  })

  it('leaves every private endpoint a name that Azure takes, however long it is', async () => {
    const endpoints = ofType(
      await deployed('test/bicep/variants/longest-name.bicepparam'),
      'Microsoft.Network/privateEndpoints',
    )
    expect(endpoints.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^pe-pg-\w{6}-postgresqlServer-a2/))
    expect(endpoints.filter(({ name }) => name.length > 64).map(({ name }) => name)).toEqual([])
  })

  it.each(['name-with-underscore', 'name-with-two-hyphens', 'name-with-hyphen-last'])(
    'is refused before anything is made: %s',
    async (name) => {
      const refused = deployed(`test/bicep/variants/${name}.bicepparam`)
      await expect(refused).rejects.toThrow(/environmentName blue.*letters, digits, and single hyphens/)
    },
  )
})
