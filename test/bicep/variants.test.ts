import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from './compiler.ts'
import { ENVIRONMENTS, ofType, readPinned, type Resource } from './environments.ts'

/** What the parameter files find in the shell. */
const VARIABLES = {
  TASKFORCE_ENVIRONMENT_NAME: 'trial',
}

/** The environments that ship, with something changed. Without a compiler `compile.test.ts` says that these are skipped too. */
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('bicep/', { timeout: 120_000 }, () => {
  let compiler: Compiler
  const deployed = async (path: string): Promise<Resource[]> =>
    readPinned(JSON.stringify(await compiler.snapshot(resolve(path))))
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '', VARIABLES)
  })
  afterAll(() => compiler.close())

  it.each(ENVIRONMENTS)('makes another environment of the shape of %s by another name', async (shape) => {
    const resources = await deployed(`bicep/${shape}.bicepparam`)
    expect(ofType(resources, 'Microsoft.Resources/resourceGroups').map(({ name }) => name)).toEqual([
      'rg-taskforce-trial',
    ])
    const settings = ofType(resources, 'Microsoft.Web/sites/config').map(({ properties }) => properties)
    expect(settings).toContainEqual(expect.objectContaining({ PROFILE: shape }))
  })
})
