/** What the product needs to know, checked and grouped; holds no secret, so it can be shown and logged. */
export interface Config {
  database: { pooler: 'transaction' | undefined; auth: 'password' | 'entra' }
  storage: StorageConfig
  model: ModelConfig
  /** The index that search_documents and get_document read; without one, those tools are absent. */
  search: SearchConfig | undefined
  auth: 'keys' | 'off'
  /** Whom the migrator lets sign in to Postgres as the app; undefined: nobody, and in every app that is not the migrator. */
  appLogin: { name: string; principalId: string } | undefined
  defaultProfile: string
  /** Absent: the profiles that ship. */
  profilesDir: string | undefined
  logLevel: string
  engine: { sliceMs: number; concurrency: number; leaseSeconds: number }
  backup: BackupConfig
  /** Optional parts that are half configured. Each is left out as a whole, and everything else works. */
  warnings: Problem[]
}

/** The account of wakes and claims. Without a blob service, calls that act once are not made. */
export type StorageConfig =
  | { kind: 'connection-string' }
  | { kind: 'identity'; queueServiceUri: string; blobServiceUri: string | undefined; clientId: string | undefined }

/** `name` is the model of profiles that name none; on Azure OpenAI it is a deployment's name. */
export type ModelConfig =
  | { provider: 'openai'; name: string; baseUrl: string | undefined }
  | { provider: 'azure-openai'; name: string; endpoint: string; apiVersion: string }
  | { provider: 'none'; name: string }

export interface SearchConfig {
  endpoint: string
  index: string
  /** Whose values are the documents' ids; absent: guessed from what was found. */
  keyField?: string
  /** With a vectorizer of the index itself; none: searches are by words alone. */
  vectorFields: string[]
  semanticConfiguration: string | undefined
}

/** Backups lie in the account of `storage`. */
export interface BackupConfig {
  container: string
  /** Of the identity that reaches backups; none: the one of `storage`. */
  clientId: string | undefined
  /** In place of the container, on one machine. */
  folder: string | undefined
  retentionDays: number
  /** Whether each is copied to a second container, whose address may hold a signature and is a secret. */
  offsite: boolean
  /** The key of Key Vault that encrypts them; none: they are stored as they are. */
  keyUrl: string | undefined
  /** Days that ended missions are kept for; undefined: for ever. */
  missionDays: number | undefined
}

/** Kept apart from the rest; never logged, never part of an error. */
export interface Secrets {
  databaseUrl: string
  /** Past the pooler. */
  databaseDirectUrl: string | undefined
  offsiteUrl: string | undefined
  storageConnectionString: string | undefined
  openAiApiKey: string | undefined
  azureOpenAiApiKey: string | undefined
  searchApiKey: string | undefined
  apiKey: string | undefined
}

/** One thing that is wrong: where, which key, and why. */
export interface Problem {
  file: string
  key: string
  reason: string
}

export type ConfigResult = { ok: true; config: Config; secrets: Secrets } | { ok: false; problems: Problem[] }
