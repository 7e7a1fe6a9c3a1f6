import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Scripted {
  type: string
  data?: Record<string, unknown>
}

export interface FakeEvent extends Required<Scripted> {
  seq: number
  at: string
}

export interface RecordedRequest {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: unknown
}

interface FakeMission {
  id: string
  goal: string
  journal: FakeEvent[]
  /** What comes after the question that is open. */
  rest: Scripted[]
  watchers: Set<() => void>
  /** Open streams that asked for answers as they are written. */
  readers: Set<ServerResponse>
}

interface FakeApiOptions {
  /** The journal of every mission. It stops at a `question.asked` until that question is answered. */
  script: Scripted[]
  files?: Record<string, Buffer>
  /** For each stream in turn, how many events it gives before it breaks; `close` ends it properly, `cut` in the middle of the next event. */
  breaks?: { after: number; how: 'close' | 'cut' }[]
  /** Answers a request in place of the API, once for each call that returns something. */
  refuse?: (request: RecordedRequest) => { status: number; body: unknown; headers?: Record<string, string> } | undefined
  /** Does what a request asks for and breaks the connection in place of an answer, for each that gives true. */
  drop?: (request: RecordedRequest) => boolean
}

export interface FakeApi {
  url: string
  requests: RecordedRequest[]
  /** Makes a mission without a request. */
  add(goal?: string): string
  journal(id: string): FakeEvent[]
  /** Records an event as if it came from elsewhere. */
  append(id: string, event: Scripted): void
  /** Tells a piece of an answer that is being written to those who asked for it. */
  delta(id: string, delta: { afterSeq: number; offset: number; text: string }): void
  /** The mission as `GET` gives it. */
  mission(id: string): Record<string, unknown>
  /** Done once a stream of events is open. */
  watched(id: string): Promise<void>
  stop(): Promise<void>
}

/** Midnight; each event comes one second after the one before. */
const START = Date.UTC(2026, 2, 1)
const endings: Record<string, string> = {
  'mission.completed': 'completed',
  'mission.failed': 'failed',
  'mission.cancelled': 'cancelled',
}

const changes: Record<string, string> = {
  cancel: 'mission.cancelled',
  pause: 'mission.paused',
  resume: 'mission.resumed',
  messages: 'mission.message',
}

/** A small server that speaks the missions part of the contracts page, with scripted journals. */
export async function startFakeApi(options: FakeApiOptions): Promise<FakeApi> {
  const missions = new Map<string, FakeMission>()
  const byKey = new Map<string, FakeMission>()
  const requests: RecordedRequest[] = []
  const breaks = [...(options.breaks ?? [])]
  const server = createServer((request, response) => void handle(request, response))

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded = await record(request)
    requests.push(recorded)
    const refused = options.refuse?.(recorded)
    if (refused !== undefined) return sendJson(response, refused.status, refused.body, refused.headers)
    if (options.drop?.(recorded)) response.writeHead = () => response.destroy()
    const url = new URL(recorded.path, 'http://fake')
    const [id, action, name] = url.pathname.replace(/^\/api\/v1\/missions\/?/, '').split('/')
    if (id === undefined || id === '') return collection(recorded, response)
    const mission = missions.get(id)
    if (mission === undefined) return sendProblem(response, 404, 'not_found', `There is no mission ${id}.`)
    if (action === 'events') return events(recorded, response, mission, url)
    if (action === 'files') return sendFile(response, options.files ?? {}, name)
    if (action === 'answers') return answer(recorded, response, mission)
    if (['retry', 'continue', 'fork'].includes(action ?? '')) return collection(recorded, response)
    const change = changes[action ?? '']
    if (change !== undefined) append(mission, { type: change, data: { by: 'person', ...(recorded.body as object) } })
    return sendJson(response, 200, show(mission))
  }

  function collection({ method, body, headers }: RecordedRequest, response: ServerResponse): void {
    if (method === 'GET') {
      return sendJson(response, 200, { items: [...missions.values()].map(show), nextCursor: 'next-page' })
    }
    const key = headers['idempotency-key'] as string | undefined
    const mission = byKey.get(key ?? '') ?? create((body as { goal?: string }).goal ?? 'Go on')
    if (key !== undefined) byKey.set(key, mission)
    sendJson(response, 202, show(mission), { location: `/api/v1/missions/${mission.id}` })
  }

  function create(goal: string): FakeMission {
    const mission: FakeMission = { id: randomUUID(), goal, journal: [], rest: [...options.script], ...noWatchers() }
    missions.set(mission.id, mission)
    play(mission)
    return mission
  }

  function answer({ body }: RecordedRequest, response: ServerResponse, mission: FakeMission): void {
    const given = body as { questionId: string; answer: unknown }
    if (!openQuestions(mission).some(({ questionId }) => questionId === given.questionId)) {
      return sendProblem(response, 409, 'already_answered', `Question ${given.questionId} was answered before.`)
    }
    append(mission, { type: 'question.answered', data: { ...given, by: 'person' } })
    play(mission)
    sendJson(response, 200, show(mission))
  }

  function events({ headers }: RecordedRequest, response: ServerResponse, mission: FakeMission, url: URL): void {
    const after = Number(headers['last-event-id'] ?? url.searchParams.get('after') ?? 0)
    if (headers.accept?.includes('text/event-stream')) {
      if (url.searchParams.get('deltas') === 'true') mission.readers.add(response)
      return stream(response, mission, after, breaks.shift())
    }
    const items = mission.journal
      .filter(({ seq }) => seq > after)
      .slice(0, Number(url.searchParams.get('limit') ?? 100))
    const last = items.at(-1)?.seq
    sendJson(response, 200, { items, nextAfter: last === undefined || last === mission.journal.length ? null : last })
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const find = (id: string): FakeMission => missions.get(id) as FakeMission
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    add: (goal = 'Do it') => create(goal).id,
    journal: (id) => find(id).journal,
    append: (id, event) => append(find(id), event),
    delta: (id, delta) => {
      for (const reader of find(id).readers) reader.write(`event: delta\ndata: ${JSON.stringify(delta)}\n\n`)
    },
    mission: (id) => show(find(id)),
    async watched(id) {
      while (find(id).watchers.size === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function noWatchers(): Pick<FakeMission, 'watchers' | 'readers'> {
  return { watchers: new Set(), readers: new Set() }
}

/** Records what is scripted, up to the next question. */
function play(mission: FakeMission): void {
  for (let next = mission.rest.shift(); next !== undefined; next = mission.rest.shift()) {
    append(mission, next)
    if (next.type === 'question.asked') return
  }
}

function append(mission: FakeMission, { type, data = {} }: Scripted): void {
  const seq = mission.journal.length + 1
  mission.journal.push({ seq, type, at: new Date(START + (seq - 1) * 1000).toISOString(), data })
  for (const watcher of mission.watchers) watcher()
}

function stream(
  response: ServerResponse,
  mission: FakeMission,
  after: number,
  breaking: { after: number; how: 'close' | 'cut' } | undefined,
): void {
  if (hasEnded(mission) && after >= mission.journal.length) return void response.writeHead(204).end()
  // Its time of day is that of its events.
  const date = new Date(mission.journal.at(-1)?.at ?? START).toUTCString()
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', date })
  response.write('retry: 10\n\n: ping\n\n')
  let sent = after
  const push = (): void => {
    for (const event of mission.journal.slice(sent)) {
      const frame = `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
      if (breaking !== undefined && sent - after >= breaking.after) return breakOff(frame)
      response.write(frame)
      sent += 1
    }
    if (hasEnded(mission)) finish()
  }
  function breakOff(frame: string): void {
    mission.watchers.delete(push)
    if (breaking?.how === 'close') return finish()
    // Half of an event, given time to leave the machine, and then a reset.
    response.write(frame.slice(0, frame.length / 2), () => setImmediate(() => response.destroy()))
  }
  function finish(): void {
    mission.watchers.delete(push)
    response.end()
  }
  mission.watchers.add(push)
  response.on('close', () => {
    mission.watchers.delete(push)
    mission.readers.delete(response)
  })
  push()
}

function hasEnded({ journal }: FakeMission): boolean {
  return Object.hasOwn(endings, journal.at(-1)?.type ?? '')
}

function isPaused({ journal }: FakeMission): boolean {
  return journal.findLast(({ type }) => /^mission\.(paused|resumed)$/.test(type))?.type === 'mission.paused'
}

function openQuestions({ journal }: FakeMission): Record<string, unknown>[] {
  const closed = journal.filter(({ type }) => type === 'question.answered' || type === 'question.expired')
  const ids = new Set(closed.map(({ data }) => data.questionId))
  return journal
    .filter(({ type, data }) => type === 'question.asked' && !ids.has(data.questionId))
    .map(({ data }) => data)
}

function show(mission: FakeMission): Record<string, unknown> {
  const { id, goal, journal } = mission
  const last = journal.at(-1)
  const questions = openQuestions(mission)
  const ended = last !== undefined && hasEnded(mission)
  return {
    id,
    goal,
    profile: 'dev',
    labels: {},
    lastSeq: journal.length,
    somethingNew: 'kept',
    status: ended ? endings[last.type] : isPaused(mission) ? 'paused' : questions.length > 0 ? 'waiting' : 'running',
    createdAt: new Date(START).toISOString(),
    ...(ended ? { endedAt: last.at } : {}),
    ...(last?.type === 'mission.completed' ? { result: last.data.result } : {}),
    ...(last?.type === 'mission.failed' ? { error: last.data, result: last.data.result } : {}),
    ...(questions.length > 0 && !ended ? { questions } : {}),
    usage: { steps: 4, inputTokens: 1204, outputTokens: 85, costUsd: '0.0012' },
    links: { self: `/api/v1/missions/${id}` },
  }
}

function sendFile(response: ServerResponse, files: Record<string, Buffer>, name: string | undefined): void {
  if (name !== undefined) return void response.writeHead(200).end(files[decodeURIComponent(name)])
  const items = Object.entries(files).map(([key, content]) => ({
    name: key,
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  }))
  sendJson(response, 200, { items })
}

/** A refusal as the API words it. */
export function problem(
  status: number,
  code: string,
  detail: string,
  errors?: { pointer: string; detail: string }[],
): object {
  return { type: `https://taskforce.example/problems/${code}`, title: `Refused: ${code}`, status, code, detail, errors }
}

function sendProblem(response: ServerResponse, status: number, code: string, detail: string): void {
  sendJson(response, status, problem(status, code, detail), { 'content-type': 'application/problem+json' })
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

async function record(request: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  const body: unknown = text === '' ? undefined : JSON.parse(text)
  return { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
}
