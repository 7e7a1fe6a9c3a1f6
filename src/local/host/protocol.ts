/**
 * What host and worker say to each other over the fork's IPC channel. The typed-data shapes are the subset of the Functions gRPC
 * contract (azure-functions-language-worker-protobuf) that HTTP, timer and queue triggers need.
 */

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical'

export type HostLogEntry = {
  level: LogLevel
  /** As the Functions host names it: `Host.Startup`, `Function.<name>`, `Host.Function.Console` … */
  category: string
  message: string
  invocationId?: string
}

export type HostLog = (entry: HostLogEntry) => void

export type TypedData = {
  string?: string
  json?: string
  bytes?: Uint8Array
  int?: number
  http?: RpcHttp
}

export type RpcHttp = {
  method?: string
  url?: string
  headers?: Record<string, string>
  params?: Record<string, string>
  query?: Record<string, string>
  body?: TypedData | null
  rawBody?: TypedData | null
  statusCode?: string
  cookies?: RpcCookie[]
}

export type RpcCookie = {
  name: string
  value: string
  domain?: { value?: string }
  path?: { value?: string }
  expires?: { value?: { seconds: number } }
  maxAge?: { value?: number }
  secure?: { value?: boolean }
  httpOnly?: { value?: boolean }
  sameSite?: 'none' | 'lax' | 'strict' | 'explicitNone'
}

export type Binding = { type: string; direction: 'in' | 'out' | 'inout' } & Record<string, unknown>

/** A function as the app registered it; settings such as `%SCHEDULE%` are not resolved yet. */
export type Registration = { name: string; bindings: Record<string, Binding>; hasRetryPolicy: boolean }

export type InvocationRequest = {
  invocationId: string
  functionId: string
  inputData: { name: string; data: TypedData }[]
  triggerMetadata: Record<string, TypedData>
  traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> }
}

export type InvocationFailure = { name: string; message: string; stack: string }

export type ToWorker =
  | { kind: 'start'; bundle: string; appDirectory: string }
  | { kind: 'invoke'; request: InvocationRequest }
  | { kind: 'terminate' }

export type FromWorker =
  | { kind: 'started'; functions: Registration[]; httpUri: string | null }
  | { kind: 'start-failed'; error: InvocationFailure }
  | { kind: 'invoked'; invocationId: string; returnValue: TypedData | null; error: InvocationFailure | null }
  | { kind: 'log'; entry: HostLogEntry }

/** Turns anything thrown into what can cross a process border. */
export function toFailure(thrown: unknown): InvocationFailure {
  if (thrown instanceof Error) {
    return { name: thrown.name, message: thrown.message, stack: thrown.stack ?? `${thrown.name}: ${thrown.message}` }
  }
  const message = typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))
  return { name: 'Error', message, stack: message }
}
