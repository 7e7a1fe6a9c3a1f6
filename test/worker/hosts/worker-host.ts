import { randomUUID } from 'node:crypto'

export type Binding = { type: string } & Record<string, unknown>

/** A function as a host sees it; `bindings` by name. */
export interface SeenFunction {
  name: string
  bindings: Record<string, Binding>
}

export type Data = { string: string } | { json: string } | { int: number } | { http: object }

export interface Invocation {
  invocationId: string
  functionName: string
  inputData: { name: string; data: Data }[]
  triggerMetadata: Record<string, Data>
}

/** What a host is to a test: it has loaded the bundle and can run its functions. */
export interface WorkerHost {
  functions: SeenFunction[]
  capabilities: Record<string, string>
  /** Rejects with the function's own message and stack. */
  invoke(invocation: Invocation): Promise<void>
  /** Ends the app as the platform does, hooks included. Gives the exit code. */
  stop(): Promise<number | null>
}

export interface RequestOptions {
  method?: string
  /** Sent as JSON. */
  body?: unknown
  headers?: Record<string, string>
  /** What the host's router found in the path. */
  params?: Record<string, string>
}

/**
 * One HTTP request the way the Functions host makes it where streaming is on: the request goes to the library's proxy in the
 * worker, the invocation goes over the host's own channel, and the library joins the two by `x-ms-invocation-id`.
 */
export async function request(
  host: WorkerHost,
  functionName: string,
  path: string,
  options: RequestOptions = {},
): Promise<Response> {
  const { method = 'GET', body, params = {} } = options
  const proxy = new URL(host.capabilities['HttpUri'] ?? '')
  proxy.hostname = '127.0.0.1'
  const invocationId = randomUUID()
  const headers = { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers }
  const values = Object.entries(params).map(([name, value]) => [name, { string: value }] as const)
  const invoked = host.invoke({
    invocationId,
    functionName,
    inputData: [{ name: triggerOf(host, functionName), data: { http: {} } }],
    triggerMetadata: { ...Object.fromEntries(values), Headers: { json: JSON.stringify(headers) } },
  })
  const answered = fetch(new URL(path, proxy), {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: {
      ...headers,
      'x-ms-invocation-id': invocationId,
      'x-forwarded-host': 'taskforce.example',
      'x-forwarded-proto': 'https',
    },
  })
  // A handler that throws never answers: without the race the test would wait for its time-out.
  return Promise.race([answered, invoked.then(() => answered)])
}

/** One queue message, as the host hands it over after base64. */
export function deliver(host: WorkerHost, functionName: string, message: unknown): Promise<void> {
  const text = JSON.stringify(message)
  return host.invoke({
    invocationId: randomUUID(),
    functionName,
    inputData: [{ name: triggerOf(host, functionName), data: { string: text } }],
    triggerMetadata: { QueueTrigger: { string: text }, DequeueCount: { int: 1 } },
  })
}

function triggerOf(host: WorkerHost, functionName: string): string {
  const bindings = host.functions.find(({ name }) => name === functionName)?.bindings ?? {}
  const name = Object.keys(bindings).find((key) => bindings[key]?.type.endsWith('Trigger'))
  if (name === undefined) throw new Error(`The bundle registered no function "${functionName}".`)
  return name
}
