/** What the product needs to know, checked and grouped; holds no secret, so it can be shown and logged. */
export interface Config {
  database: { pooler: 'transaction' | undefined; auth: 'password' | 'entra' }
  storage: { kind: 'connection-string' } | { kind: 'identity'; queueServiceUri: string; clientId: string | undefined }
  model: { provider: 'openai' | 'none'; name: string; baseUrl: string | undefined }
  auth: 'keys' | 'off'
  defaultProfile: string
  logLevel: string
  engine: { sliceMs: number; concurrency: number; leaseSeconds: number }
}

/** Kept apart from the rest; never logged, never part of an error. */
export interface Secrets {
  databaseUrl: string
  storageConnectionString: string | undefined
  openAiApiKey: string | undefined
  apiKey: string | undefined
}

/** One thing that is wrong: where, which key, and why. */
export interface Problem {
  file: string
  key: string
  reason: string
}

export type ConfigResult = { ok: true; config: Config; secrets: Secrets } | { ok: false; problems: Problem[] }
