import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { readZipEntry } from '../../../scripts/deploy/package/unzip.ts'
import { CODE_REVISION } from '../../../src/db/schema-revision.ts'
import { version } from '../../../src/version.ts'

export interface PlayedApps {
  url: string
  /** Of the database, as the migrator sees it; tests change it. */
  database: { revision: number; minCode: number; drain: { by: string; reason: string } | null; held: number }
  /** What was asked of the migrator, in order. */
  asked: { action: string; [name: string]: unknown }[]
  /** Answers in place of the migrator's own, by action: each is given once. */
  refusals: Map<string, { status: number; body: object }[]>
  /** Unfinished missions; those with a reason can't be read by the package on the migrator. */
  missions: { id: string; why?: string }[]
  /** SHA-256 of packages with which the app does not work. */
  broken: Set<string>
  /** How often readiness still says that missions can't be taken. */
  ill: { left: number }
  /** How many answers of each path still come from the package of before, after another was published. */
  late: Map<string, number>
  /** Which package the app runs; undefined: none. */
  running(): string | undefined
  stop(): Promise<void>
}

export interface PlayOptions {
  /** The cloud of the stand-in. */
  cloud: string
  migratorKey: string
}

const EVENTS = 4
const UNAVAILABLE = { status: 'unavailable', checks: { database: { status: 'fail', detail: 'it does not answer' } } }

/** One server that plays the app (by what was published) and its migrator. */
export async function playApps({ cloud, migratorKey }: PlayOptions): Promise<PlayedApps> {
  const publishedTo = (app: string) => {
    const file = join(cloud, 'published', `${app}.zip`)
    return existsSync(file) ? readFileSync(file) : undefined
  }
  const apps: Omit<PlayedApps, 'url' | 'stop'> = {
    database: { revision: 0, minCode: 0, drain: null, held: 0 },
    asked: [],
    refusals: new Map(),
    missions: [],
    broken: new Set(),
    ill: { left: 0 },
    late: new Map(),
    running: () => {
      const bytes = publishedTo('func-app')
      return bytes && createHash('sha256').update(bytes).digest('hex')
    },
  }
  /** As the package says it, if it does. */
  const buildOf = (app: string, path: string): { build?: string } => {
    const left = apps.late.get(path) ?? 0
    apps.late.set(path, left - 1)
    if (left > 0) return { build: 'of before' }
    const bytes = publishedTo(app)
    const file = bytes && readZipEntry(bytes, 'dist/build.json')
    return file === undefined ? {} : (JSON.parse(String(file)) as { build: string })
  }
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) => void response.writeHead(status).end(JSON.stringify(body))
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/migrate') {
      if (request.headers['x-functions-key'] !== migratorKey) return send(401, {})
      const asked = JSON.parse(await bodyOf(request)) as PlayedApps['asked'][number]
      const build = buildOf('func-migrator', pathname)
      return playMigrator(apps, asked, (status, body) => send(status, { ...body, ...build }))
    }
    const running = apps.running()
    if (running === undefined || apps.broken.has(running)) return send(503, {})
    if (pathname === '/health') return send(200, { status: 'healthy', version, ...buildOf('func-app', pathname) })
    // To everybody; an app that is ill takes no mission.
    const isIll = apps.ill.left > 0
    if (pathname === '/health/ready') {
      if (isIll) apps.ill.left--
      return send(
        isIll ? 503 : 200,
        isIll ? UNAVAILABLE : { status: 'ready', checks: { database: { status: 'pass' } } },
      )
    }
    const key = `Bearer ${readFileSync(join(cloud, 'secret'), 'utf8')}`
    if (request.headers.authorization !== key || existsSync(join(cloud, 'stale.json'))) return send(401, {})
    if (request.method === 'GET' && pathname === '/api/v1/missions') return send(200, { items: [] })
    if (pathname.endsWith('/events')) return playEvents(request, response)
    return send(request.method === 'POST' ? 202 : 200, { id: 'a1', status: 'completed', lastSeq: EVENTS })
  }
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    ...apps,
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(() => done()))
    },
  }
}

function playMigrator(
  { database, asked, refusals, missions }: Omit<PlayedApps, 'url' | 'stop'>,
  request: PlayedApps['asked'][number],
  send: (status: number, body: object) => void,
): void {
  asked.push(request)
  const refusal = refusals.get(request.action)?.shift()
  if (refusal !== undefined) return send(refusal.status, refusal.body)
  if (request.action === 'expand' || request.action === 'all')
    database.revision = Math.max(database.revision, CODE_REVISION)
  const others = database.drain !== null && database.drain.by !== request['by']
  if (request.action === 'drain' && !others) database.drain = { by: 'deploy', reason: String(request['reason']) }
  if (request.action === 'resume' && !others) database.drain = null
  // Handed over by the next look.
  const { held } = database
  if (request.action === 'status' && database.drain !== null) database.held = 0
  const rest = { pending: [], drift: [], done: [], logins: [] }
  const check = request.action === 'check' ? { check: playCheck(missions, request['after']) } : {}
  send(200, { ...database, held, ...rest, ...check, version, codeRevision: CODE_REVISION })
}

/** A page of ten. */
function playCheck(missions: PlayedApps['missions'], after: unknown): object {
  const page = missions.filter(({ id }) => typeof after !== 'string' || id > after).slice(0, 10)
  const next = page.at(-1)?.id
  const more = missions.some(({ id }) => next !== undefined && id > next)
  return { checked: page.length, unreadable: page.filter(({ why }) => why !== undefined), ...(more ? { next } : {}) }
}

function playEvents(request: IncomingMessage, response: ServerResponse): void {
  const after = Number(request.headers['last-event-id'] ?? 0)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (let seq = after + 1; seq <= EVENTS; seq++) response.write(`id: ${seq}\nevent: x\ndata: {}\n\n`)
  response.end()
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
