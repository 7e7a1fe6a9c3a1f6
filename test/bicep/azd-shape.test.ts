import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bicep, startCompiler } from './compiler.ts'

const REFUSED: { variables: Record<string, string>; why: RegExp }[] = [
  {
    variables: { AZURE_ENV_NAME: 'production', TASKFORCE_ENVIRONMENT: 'dev' },
    why: /TASKFORCE_ENVIRONMENT is dev .* called production: azd env set TASKFORCE_ENVIRONMENT production/,
  },
  {
    variables: { AZURE_ENV_NAME: 'blue' },
    why: /shape of blue is not said: azd env set TASKFORCE_ENVIRONMENT dev, staging or production/,
  },
]

/** Without a compiler `compile.test.ts` says that these are skipped too; test/long/bicep-azd-shape.test.ts has more of them. */
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('an environment of azd', { timeout: 120_000 }, () => {
  it.each(REFUSED)('has no shape that nobody meant: $variables', async ({ variables, why }) => {
    const compiler = startCompiler(bicep ?? '', variables)
    try {
      const said = await compiler.compileParams(resolve('bicep/main.bicepparam'))
      expect(said).toEqual([expect.stringMatching(why)])
    } finally {
      compiler.close()
    }
  })
})
