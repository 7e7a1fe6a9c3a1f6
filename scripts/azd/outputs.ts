import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'

const text = z.string().min(1)

/** What azd gives its hooks: the outputs of bicep/main.bicep, and where they are. */
const outputsSchema = z.object({
  AZURE_SUBSCRIPTION_ID: text,
  AZURE_RESOURCE_GROUP: text,
  AZURE_FUNCTION_APP_NAME: text,
  AZURE_MIGRATOR_APP_NAME: text,
  MIGRATOR_URL: z.url(),
  AZURE_KEY_VAULT_NAME: text,
  API_KEY_SECRET_NAME: text,
})

export type Outputs = z.infer<typeof outputsSchema>

/** Throws TerminalError `outputs_missing`. */
export function readOutputs(env: NodeJS.ProcessEnv): Outputs {
  const { data, error } = outputsSchema.safeParse(env)
  if (data !== undefined) return data
  const names = error.issues.map(({ path }) => path.join('.')).join(', ')
  throw new TerminalError('outputs_missing', `azd does not say where things are: no ${names}.`, {
    hint: 'This is a hook of azd: "azd up" runs it, and "azd provision" gives it what is missing.',
  })
}
