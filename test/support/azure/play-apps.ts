import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
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
  /** SHA-256 of packages with which the app does not work. */
  broken: Set<string>
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

/** One server that plays the app (by what was published) and its migrator. */
export async function playApps({ cloud, migratorKey }: PlayOptions): Promise<PlayedApps> {
  const apps: Omit<PlayedApps, 'url' | 'stop'> = {
    database: { revision: 0, minCode: 0, drain: null, held: 0 },
    asked: [],
    refusals: new Map(),
    broken: new Set(),
    running: () => {
      const file = join(cloud, 'published', 'func-app.zip')
      return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : undefined
    },
  }
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const send = (status: number, body: unknown) => void response.writeHead(status).end(JSON.stringify(body))
    const { pathname } = new URL(request.url ?? '/', 'http://localhost')
    if (pathname === '/migrate') {
      if (request.headers['x-functions-key'] !== migratorKey) return send(401, {})
      return playMigrator(apps, JSON.parse(await bodyOf(request)) as PlayedApps['asked'][number], send)
    }
    const running = apps.running()
    if (running === undefined || apps.broken.has(running)) return send(503, {})
    if (pathname === '/health') return send(200, { status: 'healthy', version })
    if (request.headers.authorization !== `Bearer ${readFileSync(join(cloud, 'secret'), 'utf8')}`) return send(401, {})
    if (pathname === '/health/ready') return send(200, { status: 'ready', checks: { database: { status: 'pass' } } })
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
  { database, asked, refusals }: Omit<PlayedApps, 'url' | 'stop'>,
  request: PlayedApps['asked'][number],
  send: (status: number, body: unknown) => void,
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
  send(200, { ...database, held, ...rest, version, codeRevision: CODE_REVISION })
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
