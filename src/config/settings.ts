import { z } from 'zod'

const seconds = (fallback: number, most: number) =>
  z.coerce.number('must be a number of seconds').positive().max(most).default(fallback)

const schedule = (fallback: string) =>
  z
    .string()
    .regex(/^\S+( +\S+){5}$/, 'six fields such as "0 * * * * *": second, minute, hour, day, month, day of the week')
    .default(fallback)

const databaseUrl = z
  .string()
  .regex(/^postgres(ql)?(\+\w+)?:\/\/\S+$/, 'a URL such as postgresql://user:password@host:5432/taskforce')

/** A password in an address would be shown with it, and no client of ours sends one from there. */
const url = z
  .string()
  .regex(/^https?:\/\/\S+$/, 'a URL that starts with http:// or https://')
  .refine((text) => !hasUserinfo(text), 'a URL without a user name or password in it')

/**
 * Every setting that the product reads, with its default. Names are the contracts page's; the seed's names stay.
 * `local.settings.example.json` lists the same names, and a test holds the two equal.
 */
export const settingsSchema = z.object({
  DATABASE_URL: databaseUrl.describe(
    "Postgres of missions; also through a pooler. The seed's postgresql+asyncpg:// works.",
  ),
  DATABASE_DIRECT_URL: databaseUrl
    .optional()
    .describe('Postgres past the pooler, for migrations, backups and restores. Default: DATABASE_URL.'),
  DATABASE_POOLER: z.literal('transaction').optional().describe('"transaction" behind PgBouncer in transaction mode.'),
  DATABASE_AUTH: z
    .enum(['password', 'entra'])
    .default('password')
    .describe('"entra": a token of the managed identity in place of a password.'),
  JOBS_STORAGE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Queue of wakes, and claims of calls that act once: a connection string, or JOBS_STORAGE__queueServiceUri for an identity.',
    ),
  JOBS_STORAGE__queueServiceUri: url
    .optional()
    .describe('Queue service of the storage account, reached with the managed identity.'),
  JOBS_STORAGE__blobServiceUri: url
    .optional()
    .describe("Its blob service. Default: the queue service's name with blob in place of queue."),
  JOBS_STORAGE__clientId: z.string().optional().describe('Client id of the user-assigned identity that reaches it.'),
  OPENAI_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Key of the model server; not needed where OPENAI_BASE_URL names one without keys.'),
  OPENAI_BASE_URL: url.optional().describe('A compatible server (Ollama, vLLM, llama.cpp). Default: OpenAI.'),
  OPENAI_MODEL: z.string().min(1).default('gpt-5.4-mini').describe('Model of profiles that name none.'),
  AZURE_OPENAI_ENDPOINT: url
    .optional()
    .describe('An Azure OpenAI resource such as https://NAME.openai.azure.com; it wins over OPENAI_….'),
  AZURE_OPENAI_API_KEY: z.string().min(1).optional().describe('Its key. Default: a token of Entra ID.'),
  AZURE_OPENAI_DEPLOYMENT: z.string().min(1).optional().describe('Deployment of profiles that name no model.'),
  AZURE_OPENAI_API_VERSION: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d(-preview)?$/, 'a dated version such as 2024-10-21')
    .default('2024-10-21')
    .describe('Version of the Azure OpenAI API.'),
  AZURE_SEARCH_ENDPOINT: url
    .optional()
    .describe(
      'An Azure AI Search service such as https://NAME.search.windows.net; brings search_documents and get_document.',
    ),
  AZURE_SEARCH_INDEX: z.string().min(1).optional().describe('The index that they read.'),
  AZURE_SEARCH_API_KEY: z.string().min(1).optional().describe('A query key. Default: a token of Entra ID.'),
  AZURE_SEARCH_KEY_FIELD: z
    .string()
    .min(1)
    .optional()
    .describe('Key field of the index. Default: found by its name and its values.'),
  AZURE_SEARCH_VECTOR_FIELDS: z
    .string()
    .min(1)
    .optional()
    .describe('Vector fields with a vectorizer of the index, by comma: searches are then hybrid.'),
  AZURE_SEARCH_SEMANTIC_CONFIGURATION: z
    .string()
    .min(1)
    .optional()
    .describe('Semantic configuration of the index: results are then ranked by it.'),
  APP_ROLE: z
    .enum(['app', 'migrator'])
    .default('app')
    .describe('"migrator": the app that only migrates, from the same package, with rights that the other has not.'),
  APP_LOGIN_NAME: z
    .string()
    .min(1)
    .max(63, 'at most 63 characters, as a role of Postgres')
    .optional()
    .describe("The app's identity, which the migrator makes a login of Azure's Postgres. Read by the migrator alone."),
  APP_LOGIN_PRINCIPAL_ID: z
    .guid('an object id of Entra ID, which is a GUID')
    .optional()
    .describe('Object id of that identity, which is not its client id.'),
  AUTH: z
    .enum(['keys', 'off'])
    .default('keys')
    .describe('"off" for one machine only; refused on Azure and Kubernetes.'),
  TASKFORCE_API_KEY: z
    .string()
    .min(16, 'at least 16 characters')
    .optional()
    .describe('The key that clients send as Authorization: Bearer.'),
  PROFILE: z.string().min(1).default('dev').describe('The agent profile of missions that name none.'),
  PROFILES_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of agent profiles in place of the ones that ship; relative to the working folder.'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .describe('The least important log line that is written.'),
  SLICE_SECONDS: seconds(300, 1_500).describe('How long one invocation moves a mission before it hands over.'),
  MISSION_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(500)
    .default(32)
    .describe('Missions that one instance moves at once.'),
  LEASE_SECONDS: seconds(30, 600).describe('How long an instance is believed to live after its last sign of life.'),
  SWEEP_SCHEDULE: schedule('0 * * * * *').describe('When the sweep runs (six fields, UTC).'),
  BACKUP_SCHEDULE: schedule('0 0 2 * * *').describe('When a backup is made (six fields, UTC).'),
  DRILL_SCHEDULE: schedule('0 0 4 * * 0').describe('When the newest backup is restored to see that it can be.'),
  RETAIN_SCHEDULE: schedule('0 30 3 * * *').describe('When missions and keys go that are kept no longer.'),
  BACKUP_CONTAINER: z
    .string()
    .regex(/^[a-z0-9](?:-?[a-z0-9]){2,62}$/, 'a container name: 3 to 63 lower-case letters, digits and single hyphens')
    .default('backups')
    .describe('Blob container of backups, in the account of JOBS_STORAGE.'),
  BACKUP_CLIENT_ID: z
    .string()
    .min(1)
    .optional()
    .describe('Client id of the identity that reaches backups, here and offsite. Default: JOBS_STORAGE__clientId.'),
  BACKUP_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of backups in place of the container, on one machine only; npm start sets its own.'),
  BACKUP_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3_650)
    .default(30)
    .describe('Days that backups are kept for; the newest 7 verified ones are kept in any case.'),
  BACKUP_OFFSITE_URL: url
    .optional()
    .describe(
      'A second container that each backup is copied to, https://ACCOUNT.blob.core.windows.net/CONTAINER; with a signature (?sv=…) or an identity.',
    ),
  BACKUP_KEY_URL: url
    .optional()
    .describe(
      'A key of Key Vault, https://NAME.vault.azure.net/keys/KEY: backups are then encrypted before they leave the process.',
    ),
  MISSION_RETENTION_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .optional()
    .describe('Days that ended missions are kept for, where a tenant has no days of its own. Default: for ever.'),
})

export type Settings = z.infer<typeof settingsSchema>

/** Settings that other programs read from the same environment: the Functions host, and `npm start`. */
export const foreignSettings = ['AzureWebJobsStorage', 'FUNCTIONS_WORKER_RUNTIME', 'DEMO_DELAY_MS'] as const

function hasUserinfo(text: string): boolean {
  const { username, password } = URL.parse(text) ?? { username: '', password: '' }
  return username !== '' || password !== ''
}
