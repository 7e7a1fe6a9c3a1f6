import { z } from 'zod'
import { readTemplateParameters } from '../commands/subscription.ts'
import { asEnvironment } from '../parameters/as-environment.ts'
import type { TemplateParameters } from '../parameters/remember.ts'
import { readOutput } from '../read-output.ts'
import type { Session } from '../session.ts'
import { parseJson } from '../parse-json.ts'

/** What the parameter file of an environment says, as far as a subscription can refuse it. */
export interface TemplateValues {
  openAiLocation: string
  /** None where an account of somebody else's is used. Capacity in thousands of tokens a minute. */
  models: { model: string; version: string; sku: string; capacity: number }[]
  /** Undefined where a server is used that is there. */
  postgres: { skuName: string; highAvailability: boolean } | undefined
  /** A search service of our own. */
  makesSearch: boolean
  /** The app's instances are spread over zones. */
  zoneRedundant: boolean
}

const valueOf = <T extends z.ZodType>(schema: T) => z.looseObject({ value: schema })

/** One that is left out is no key at all. */
const GIVEN = z.unknown().optional()

const fileSchema = z.looseObject({
  parameters: z.looseObject({
    shape: valueOf(
      z.looseObject({
        functionApp: z.looseObject({ zoneRedundant: z.boolean() }),
        postgres: z.looseObject({ skuName: z.string(), highAvailability: z.boolean() }),
      }),
    ),
    modelDeployments: valueOf(
      z.array(z.looseObject({ model: z.string(), version: z.string(), sku: z.string(), capacity: z.int() })),
    ),
    openAiLocation: valueOf(z.string()).optional(),
    searchIndex: valueOf(z.string()).optional(),
    existing: valueOf(z.looseObject({ openAi: GIVEN, postgres: GIVEN, postgresHost: GIVEN, search: GIVEN })).optional(),
    postgresServerId: valueOf(z.string()).optional(),
  }),
})

const outputSchema = z.looseObject({ parametersJson: z.string().transform(parseJson).pipe(fileSchema) })

/** Reads the parameter file as the compiler does, with what this shell and earlier deployments say. Throws TerminalError. */
export async function readTemplateValues(
  { run, environment }: Session,
  parameters: TemplateParameters,
): Promise<TemplateValues> {
  const command = { ...readTemplateParameters(environment), env: asEnvironment(parameters) }
  const { parametersJson } = await readOutput(run, command, outputSchema)
  const { shape, modelDeployments, openAiLocation, existing, postgresServerId, searchIndex } = parametersJson.parameters
  const { openAi, postgres, postgresHost, search } = existing?.value ?? {}
  const isThere = postgres != null || postgresHost != null || (postgresServerId?.value ?? '') !== ''
  return {
    openAiLocation: openAiLocation?.value ?? environment.location,
    models: openAi == null ? modelDeployments.value : [],
    makesSearch: (searchIndex?.value ?? '') !== '' && search == null,
    postgres: isThere ? undefined : shape.value.postgres,
    zoneRedundant: shape.value.functionApp.zoneRedundant,
  }
}
