import type { TLSSocket } from 'node:tls'
import pg from 'pg'
import { normaliseUrl } from '../../../src/db/connection.ts'
import { codeOf, causeOf } from '../failure.ts'
import { notLookedAt, type Inputs, type Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'
import { parseDatabaseUrl } from '../show-value.ts'
import { NoTokenError, SCOPES } from '../tokens.ts'
import { checkDirect, checkRights, checkSchema, type Session } from './schema.ts'

const OLDEST = 15
const NEWEST = 18
/** Leases are told by the database's clock; deadlines and logs by ours. */
const MOST_CLOCK_MS = 2_000
const FORM = 'DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/taskforce, with special characters percent-encoded'

/** The database of missions, and the way past its pooler where there is one. */
export function databaseProbes(inputs: Inputs): Probe[] {
  const broken = inputs.broken.get('database')
  const hint = 'start Postgres there, or correct DATABASE_URL'
  const main = (run: Probe['run']): Probe => ({ group: 'Database', name: 'connection', hint, run })
  if (broken !== undefined) return [main(() => notLookedAt('connection', broken))]
  if (inputs.bare) return [main(() => [missing()])]
  const probes = [main((signal) => inspect(inputs, 'DATABASE_URL', 'connection', signal, wholeCheck))]
  if (inputs.values.has('DATABASE_DIRECT_URL')) {
    probes.push({
      group: 'Database',
      name: 'direct',
      hint: 'correct DATABASE_DIRECT_URL',
      run: (signal) => inspect(inputs, 'DATABASE_DIRECT_URL', 'direct', signal, checkDirect),
    })
  } else if (inputs.config.database.pooler === 'transaction') {
    const advice = 'set DATABASE_DIRECT_URL to the address of Postgres itself'
    const pooled = warn('direct', 'migrations need a way past the pooler', advice)
    probes.push({ group: 'Database', name: 'direct', hint: advice, run: () => [pooled] })
  }
  return probes
}

function missing(): Finding {
  return warn('connection', 'not set; npm start and npm run mission bring their own', `for a deployment: ${FORM}`)
}

type Look = (session: Session) => Promise<Finding[]>

async function inspect(
  inputs: Inputs,
  setting: 'DATABASE_URL' | 'DATABASE_DIRECT_URL',
  name: string,
  signal: AbortSignal,
  look: Look,
): Promise<Finding[]> {
  const { value, source } = inputs.values.get(setting) ?? { value: '', source: 'environment' }
  const url = parseDatabaseUrl(normaliseUrl(value))
  // Not even tried: a part of the password would pass for the host's name, and go out to the name servers.
  if (url === undefined) return [fail(name, `${setting} can't be read as a URL`, FORM)]
  // Migrations sign in with what is in their URL.
  const entra = setting === 'DATABASE_URL' && inputs.config.database.auth === 'entra'
  const client = createClient(normaliseUrl(value), entra ? () => inputs.tokens.get(SCOPES.database) : undefined)
  signal.addEventListener('abort', () => client.connection.stream.destroy(), { once: true })
  try {
    const started = performance.now()
    await client.connect()
    const place = `${hostOf(client)}/${client.database ?? ''} as ${client.user ?? ''}`
    const line = pass(name, `${place}, ${Math.round(performance.now() - started)} ms`)
    return [line, ...(await look({ client, name, local: isLocal(client), owner: source === 'npm start' }))]
  } catch (error) {
    return [refusal(error, name, setting, client)]
  } finally {
    // A server that says nothing more would hold this for ever.
    void client.end().catch(() => undefined)
  }
}

function createClient(url: string, password: (() => Promise<string>) | undefined): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    ...(password === undefined ? {} : { password }),
    application_name: 'taskforce-doctor',
  })
  client.on('error', () => undefined)
  return client
}

async function wholeCheck(session: Session): Promise<Finding[]> {
  const schema = await checkSchema(session)
  const rights = schema.status === 'pass' ? await checkRights(session) : []
  return [await checkVersion(session), schema, ...rights, checkTls(session), await checkClock(session)]
}

async function checkVersion({ client }: Session): Promise<Finding> {
  const { rows } = await client.query<{ number: number }>(`select current_setting('server_version_num')::int as number`)
  const number = rows[0]?.number ?? 0
  const major = Math.floor(number / 10_000)
  const text = `Postgres ${major}.${number % 10_000}`
  if (major < OLDEST) return fail('version', `${text} is too old`, `use Postgres ${OLDEST} to ${NEWEST}`)
  if (major <= NEWEST) return pass('version', text)
  return warn('version', `${text} is newer than what was tested`, `use Postgres ${OLDEST} to ${NEWEST}`)
}

function checkTls({ client, local }: Session): Finding {
  const stream = client.connection.stream as Partial<TLSSocket>
  if (stream.encrypted === true) return pass('tls', stream.getProtocol?.() ?? 'in use')
  if (local) return pass('tls', 'not in use, on this machine alone')
  return warn('tls', 'not in use: data and password-based sign-in go over the network as they are', tlsAdvice)
}

const tlsAdvice = 'append ?sslmode=verify-full to the database URL'

async function checkClock({ client }: Session): Promise<Finding> {
  const before = Date.now()
  const { rows } = await client.query<{ ms: number }>(
    `select extract(epoch from clock_timestamp())::float8 * 1000 as ms`,
  )
  const after = Date.now()
  const apart = Math.round(Math.abs((rows[0]?.ms ?? 0) - (before + after) / 2))
  if (apart <= MOST_CLOCK_MS) return pass('clock', `${apart} ms apart`)
  return warn('clock', `${apart} ms apart`, 'turn on time synchronisation (NTP) on this machine and on the server')
}

/** In words of ours, by SQLSTATE or system code: Postgres's own sentences repeat what they were sent. */
function refusal(error: unknown, name: string, setting: string, client: pg.Client): Finding {
  const { user = '', database = '' } = client
  if (error instanceof NoTokenError) {
    return fail(name, 'Entra ID gives no token for the database', 'see Azure identity, or DATABASE_AUTH=password')
  }
  const state = error instanceof pg.DatabaseError ? error.code : undefined
  switch (state) {
    case '28P01':
      return fail(name, `${hostOf(client)} does not take the password of ${user}`, `correct ${setting}`)
    case '28000':
      return fail(name, `${hostOf(client)} does not let ${user} in`, `allow it in pg_hba.conf, or use another user`)
    case '3D000':
      return fail(name, `there is no database ${database}`, `create database "${database}", or correct ${setting}`)
    case '53300':
      return fail(name, 'the server has no connection left', 'stop something that uses it, or raise max_connections')
    case undefined:
      break
    default:
      return fail(name, `Postgres refuses (SQLSTATE ${state})`, `look into its log, or correct ${setting}`)
  }
  if (error instanceof Error && error.message === 'The server does not support SSL connections') {
    return fail(name, 'the server has no TLS, and the URL asks for it', `remove sslmode from ${setting}`)
  }
  const sasl = error instanceof Error && error.message.startsWith('SASL')
  if (sasl) return fail(name, 'the server asks for a password', `put one into ${setting}`)
  const hint = `start Postgres there, or correct ${setting}`
  const place = codeOf(error) === undefined ? 'no Postgres answers' : causeOf(error)
  return fail(name, `${hostOf(client)}: ${place}`, hint)
}

function hostOf({ host, port }: pg.Client): string {
  return host.startsWith('/') ? host : `${host}:${port}`
}

function isLocal({ host }: pg.Client): boolean {
  return host.startsWith('/') || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)
}
