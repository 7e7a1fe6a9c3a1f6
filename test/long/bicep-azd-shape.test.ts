import { resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType } from '../bicep/environments.ts'
import { settingsIn } from '../bicep/settings.ts'
import { deployedBy } from '../bicep/variants.ts'

const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('an environment of azd', { timeout: 120_000 }, () => {
  let compiler: Compiler | undefined
  const compilerWith = (variables: Record<string, string>) => {
    compiler = startCompiler(bicep ?? '', variables)
    return compiler
  }
  afterEach(() => compiler?.close())

  it.each([
    ['blue', 'staging', 'staging'],
    ['Production', '', 'production'],
    ['STAGING', 'Staging', 'staging'],
  ])('called %s, with "%s" as its shape, is %s', async (AZURE_ENV_NAME, TASKFORCE_ENVIRONMENT, shape) => {
    const variables = { AZURE_ENV_NAME, TASKFORCE_ENVIRONMENT }
    const { resources, outputs } = await deployedBy(compilerWith(variables), 'bicep/main.bicepparam')
    expect(settingsIn(resources, 'app')).toMatchObject({ PROFILE: shape })
    expect(outputs).toMatchObject({ AZURE_ENV_NAME, TASKFORCE_ENVIRONMENT: shape })
    const [group] = ofType(resources, 'Microsoft.Resources/resourceGroups')
    expect(group?.name).toBe(`rg-taskforce-${AZURE_ENV_NAME}`)
  })

  it('has a shape that there is', async () => {
    const variables = { AZURE_ENV_NAME: 'blue', TASKFORCE_ENVIRONMENT: 'large' }
    expect(await compilerWith(variables).compileParams(resolve('bicep/main.bicepparam'))).toEqual([
      expect.stringMatching(/shape of blue is large: azd env set TASKFORCE_ENVIRONMENT dev, staging or production/),
    ])
  })

  it('has a name', async () => {
    const said = await compilerWith({}).compileParams(resolve('bicep/main.bicepparam'))
    expect(said).toContainEqual(expect.stringMatching(/AZURE_ENV_NAME is not set.*azd env new NAME/))
  })
})
