import { spawn } from 'node:child_process'
import { z } from 'zod'
import { findBicep } from '../../scripts/bicep/find-bicep.ts'

const diagnosticSchema = z.object({
  source: z.string(),
  range: z.object({ start: z.object({ line: z.number(), char: z.number() }) }),
  level: z.string(),
  code: z.string(),
  message: z.string(),
})

const messageSchema = z.object({
  id: z.number(),
  result: z.unknown().optional(),
  error: z.object({ message: z.string() }).optional(),
})

/** What names are made of; nobody's own. */
const METADATA = {
  tenantId: '00000000-0000-0000-0000-000000000002',
  subscriptionId: '00000000-0000-0000-0000-000000000001',
  resourceGroup: null,
  location: 'westeurope',
  deploymentName: 'main',
}

export interface Compiler {
  /** The template of a .bicep file, and what the compiler says about it and all that it imports, one line each. */
  compile(path: string): Promise<{ template: unknown; diagnostics: string[] }>
  /** What it says about a parameter file and its template; `overrides` win over the file's values. */
  compileParams(path: string, overrides?: Record<string, unknown>): Promise<string[]>
  /** What a parameter file would deploy, with its keys in order. Throws the compiler's message, as of `fail()`. */
  snapshot(path: string): Promise<unknown>
  format(path: string): Promise<string>
  close(): void
}

/** Undefined where there is none; `npm run bicep:install` brings it. */
export const bicep = findBicep({
  root: process.cwd(),
  platform: process.platform,
  arch: process.arch,
  path: process.env['PATH'] ?? '',
})

/**
 * One process for all questions: its first answer takes 3 s, the others half a second. `variables` are what parameter files find in
 * the shell.
 */
export function startCompiler(program: string, variables: Record<string, string> = {}): Compiler {
  // Nothing of who runs the tests may come in: parameter files read the environment.
  const { HOME, PATH, SystemRoot, TEMP } = process.env
  // Profiling what it runs is not worth its price to a process that ends within seconds.
  const dotnet = { DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', DOTNET_TieredPGO: '0' }
  const env = { ...variables, HOME, PATH, SystemRoot, TEMP, ...dotnet }
  const child = spawn(program, ['jsonrpc', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'], env })
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  const endAll = (reason: string) => {
    for (const { reject } of waiting.values()) reject(new Error(reason))
  }
  child.on('error', (error) => endAll(error.message))
  child.on('exit', (code) => endAll(`bicep ended with ${code}`))
  readMessages(child.stdout, (text) => {
    const { id, result, error } = messageSchema.parse(JSON.parse(text))
    const { resolve, reject } = waiting.get(id) ?? { resolve: () => undefined, reject: () => undefined }
    waiting.delete(id)
    if (error === undefined) resolve(result)
    else reject(new Error(error.message))
  })
  let last = 0
  const call = (method: string, params: unknown) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++last
      waiting.set(id, { resolve, reject })
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
      child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
    })
  return { ...operations(call), close: () => void child.kill() }
}

function operations(call: (method: string, params: unknown) => Promise<unknown>): Omit<Compiler, 'close'> {
  return {
    async compile(path) {
      const schema = z.object({ contents: z.string().nullish(), diagnostics: z.array(diagnosticSchema) })
      const { contents, diagnostics } = schema.parse(await call('bicep/compile', { path }))
      return { template: JSON.parse(contents ?? 'null') as unknown, diagnostics: diagnostics.map(toLine) }
    },
    async compileParams(path, parameterOverrides = {}) {
      const schema = z.object({ diagnostics: z.array(diagnosticSchema) })
      const answer = await call('bicep/compileParams', { path, parameterOverrides })
      return schema.parse(answer).diagnostics.map(toLine)
    },
    async snapshot(path) {
      const answer = await call('bicep/getSnapshot', { path, metadata: METADATA, externalInputs: null })
      return inOrder(JSON.parse(z.object({ snapshot: z.string() }).parse(answer).snapshot))
    },
    async format(path) {
      return z.object({ contents: z.string() }).parse(await call('bicep/format', { path })).contents
    },
  }
}

function toLine({ source, range, level, code, message }: z.infer<typeof diagnosticSchema>): string {
  return `${source}:${range.start.line + 1}: ${level} ${code}: ${message}`
}

/** Messages in the frames of the language server protocol. */
function readMessages(stream: NodeJS.ReadableStream, take: (text: string) => void): void {
  let rest = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const head = rest.indexOf('\r\n\r\n')
      if (head < 0) return
      const bytes = Number(/Content-Length: (\d+)/i.exec(rest.subarray(0, head).toString())?.[1])
      if (rest.length < head + 4 + bytes) return
      take(rest.subarray(head + 4, head + 4 + bytes).toString())
      rest = rest.subarray(head + 4 + bytes)
    }
  })
}

/** The compiler's order of keys changes from run to run. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]))
}
