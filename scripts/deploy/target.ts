import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'

/** Where the parts of an environment are; each from the outputs of `bicep/`. */
export interface Target {
  /** dev, staging or production. */
  shape: string
  location: string
  resourceGroup: string
  app: string
  apiUrl: string
  migratorApp: string
  migratorUrl: string
  account: string
  container: string
  vault: string
  apiKeySecret: string
  postgresHost: string
  postgresDatabase: string
}

const OUTPUTS: Record<keyof Target, string> = {
  shape: 'TASKFORCE_ENVIRONMENT',
  location: 'AZURE_LOCATION',
  resourceGroup: 'AZURE_RESOURCE_GROUP',
  app: 'AZURE_FUNCTION_APP_NAME',
  apiUrl: 'API_URL',
  migratorApp: 'AZURE_MIGRATOR_APP_NAME',
  migratorUrl: 'MIGRATOR_URL',
  account: 'AZURE_STORAGE_ACCOUNT',
  container: 'DEPLOYMENTS_CONTAINER',
  vault: 'AZURE_KEY_VAULT_NAME',
  apiKeySecret: 'API_KEY_SECRET_NAME',
  postgresHost: 'POSTGRES_HOST',
  postgresDatabase: 'POSTGRES_DATABASE',
}

export const outputsSchema = z.record(z.string(), z.string())

/** Reads the outputs of a deployment. @throws TerminalError `outputs_missing` */
export function readTarget(outputs: z.infer<typeof outputsSchema>): Target {
  const missing: string[] = []
  const entries = Object.entries(OUTPUTS).map(([key, name]) => {
    const value = outputs[name] ?? ''
    if (value !== '') return [key, value]
    missing.push(name)
    return [key, '']
  })
  if (missing.length === 0) return Object.fromEntries(entries)
  throw new TerminalError('outputs_missing', `The infrastructure does not say where it is: no ${missing.join(', ')}.`, {
    hint: 'It was made by other templates than these. Deploy without --skip-infra.',
  })
}

/** Stands for what only the infrastructure says, in a dry run: the names of the outputs. */
export const PLACEHOLDERS = Object.fromEntries(
  Object.entries(OUTPUTS).map(([key, name]) => [key, `$${name}`]),
) as unknown as Target
