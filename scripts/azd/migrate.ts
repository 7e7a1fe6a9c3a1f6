import { z } from 'zod'
import { askFor } from './ask-for.ts'
import type { AzureRest, Call } from './azure-rest.ts'
import { makeKeyKnown } from './make-key-known.ts'
import type { Outputs } from './outputs.ts'
import { manage } from './sites.ts'

const keysSchema = z.object({ default: z.string().min(1) })
const standingSchema = z.object({ revision: z.int() })
const buildSchema = z.object({ build: z.string().optional() })

const HINT =
  'With private endpoints this has to run inside the virtual network. "azd deploy" publishes both apps, and one that was published alone waits for the other here. "azd hooks run postdeploy" goes on from here.'

/**
 * Has the migrator make the app's login and bring the schema up to the code, then lets the app find its API key. Answers the schema's
 * revision.
 * @param build of the package that azd has published, which takes a while to be the one that answers; undefined: any may
 */
export async function migrate(azure: AzureRest, outputs: Outputs, build: string | undefined): Promise<number> {
  const listKeys = manage(outputs, `${outputs.AZURE_MIGRATOR_APP_NAME}/functions/migrate/listKeys`)
  const key = (await askFor(azure, listKeys, keysSchema)).default
  const migration: Call = {
    purpose: 'The database was not migrated',
    method: 'POST',
    url: `${outputs.MIGRATOR_URL}/migrate`,
    headers: { 'x-functions-key': key },
    body: { action: 'all' },
    // The package of before brings the schema to where it is already, which harms nothing.
    notYet: (answer) => otherBuild(answer, build),
    ...(build === undefined ? {} : { hint: HINT }),
  }
  const { revision } = await askFor(azure, migration, standingSchema)
  await makeKeyKnown(azure, outputs)
  return revision
}

function otherBuild(answer: unknown, expected: string | undefined): string | undefined {
  const { build } = buildSchema.catch({}).parse(answer)
  if (expected === undefined || build === expected) return undefined
  return `that another package still answers (build ${build ?? 'unknown'}, published was ${expected})`
}
