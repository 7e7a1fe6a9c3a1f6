/** Names of settings whose value is a secret as a whole. */
const SECRET_NAME = /(_KEY|SECRET|PASSWORD|TOKEN|CONNECTION_STRING)$/i
const STORAGE_NAME = /^(JOBS_STORAGE|AzureWebJobsStorage)$/
const URL_NAME = /(_URL|_ENDPOINT|Uri)$/
/** Parts of a database URL that say how, not who. */
const SAFE_PARAMETERS = new Set(['sslmode', 'ssl', 'host', 'port', 'application_name', 'connect_timeout'])

/** What may be shown of a setting: its value, or undefined where only "set" may be said. */
export function showValue(name: string, value: string): string | undefined {
  if (STORAGE_NAME.test(name)) return storageAccount(value)
  if (SECRET_NAME.test(name)) return undefined
  if (name.startsWith('DATABASE_') && name.endsWith('_URL')) return databaseUrl(value)
  return URL_NAME.test(name) ? plainUrl(value) : value
}

/** Parses a database URL; undefined where a password that is not percent-encoded has moved its borders. */
export function parseDatabaseUrl(text: string): URL | undefined {
  const url = URL.parse(text)
  if (url === null || url.hash !== '' || `${url.pathname}${url.search}`.includes('@')) return undefined
  return url
}

/** Scheme, host, port and path of a URL; neither its credentials nor the values of its query. */
export function plainUrl(text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null) return undefined
  const query = [...url.searchParams.keys()].map((key) => `${key}=…`).join('&')
  return `${url.protocol}//${url.host}${url.pathname}${query === '' ? '' : `?${query}`}`
}

/** Account of a storage connection string; with a signature in place of a key, the endpoint's host. */
export function storageAccount(text: string): string | undefined {
  if (/^UseDevelopmentStorage=true;?$/.test(text)) return 'UseDevelopmentStorage=true'
  const named = /(?:^|;)\s*AccountName=([a-z0-9]{3,24})(?:;|$)/i.exec(text)?.[1]
  if (named !== undefined) return `account ${named}`
  const endpoint = /(?:^|;)\s*QueueEndpoint=([^;]+)/i.exec(text)?.[1]
  const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.host
  return host === undefined ? undefined : `account at ${host}`
}

/** Every text in a setting that must not be shown: the whole of it, and its parts as they are and decoded. */
export function secretsIn(name: string, value: string): string[] {
  if (STORAGE_NAME.test(name)) return storageSecrets(value)
  if (SECRET_NAME.test(name)) return [value]
  return URL_NAME.test(name) ? urlSecrets(value) : []
}

function databaseUrl(text: string): string | undefined {
  const url = parseDatabaseUrl(text)
  if (url === undefined) return undefined
  const parameters = [...url.searchParams].map(([key, of]) => `${key}=${SAFE_PARAMETERS.has(key) ? of : '…'}`)
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`
  return `${url.protocol}//${url.username === '' ? '' : `${url.username}@`}${url.host}${url.pathname}${query}`
}

function storageSecrets(text: string): string[] {
  const parts = [...text.matchAll(/(?:AccountKey|SharedAccessSignature)=([^;]+)/gi)].map(([, part]) => part as string)
  const signatures = [...text.matchAll(/[?&]sig=([^&;]+)/gi)].map(([, part]) => part as string)
  // Where nothing is recognised, it may be the bare key.
  const whole = storageAccount(text) === undefined ? [text] : []
  return [...whole, ...parts, ...signatures].flatMap(bothForms)
}

function urlSecrets(text: string): string[] {
  if (!text.includes('://')) return bothForms(text)
  // By hand: a password with "/" or "#" in it is what URL parsers stumble over.
  const credentials = /^[\w+]+:\/\/[^:@]*:(.*)@/s.exec(text)?.[1]
  const query = [...new URLSearchParams(text.split('?').slice(1).join('?'))]
  const values = query.filter(([key]) => !SAFE_PARAMETERS.has(key)).map(([, value]) => value)
  return [...(credentials === undefined ? [] : [credentials]), ...values].flatMap(bothForms)
}

function bothForms(text: string): string[] {
  try {
    return [text, decodeURIComponent(text), encodeURIComponent(text)]
  } catch {
    return [text]
  }
}
