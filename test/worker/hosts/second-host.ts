import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SeenFunction, WorkerHost } from './worker-host.ts'

const script = fileURLToPath(new URL('./second-host-process.ts', import.meta.url))

export interface SecondHost extends WorkerHost {
  /** Names of the environment's variables when the bundle was loaded. */
  environment: string[]
  /** What the process wrote, both streams. */
  output: string[]
}

type Report =
  | { kind: 'loaded'; environment: string[]; capabilities: Record<string, string>; functions: SeenFunction[] }
  | { kind: 'invoked'; invocationId: string; stack?: string }

/** Loads the bundle in a process of its own that has exactly the variables of `env`. Rejects where it can't be loaded. */
export async function startSecondHost(entry: string, env: Record<string, string> = {}): Promise<SecondHost> {
  const child = fork(script, [entry], { env, execArgv: ['--disable-warning=ExperimentalWarning'], silent: true })
  const output: string[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(String(chunk)))
  const exited = once(child, 'exit') as Promise<[number | null]>
  const pending = new Map<string, (report: Extract<Report, { kind: 'invoked' }>) => void>()
  const loaded = await new Promise<Extract<Report, { kind: 'loaded' }>>((resolve, reject) => {
    child.on('message', (report: Report) =>
      report.kind === 'loaded' ? resolve(report) : pending.get(report.invocationId)?.(report),
    )
    void exited.then(() => reject(new Error(`The bundle could not be loaded:\n${output.join('')}`)))
  })
  return {
    ...loaded,
    output,
    invoke: async (invocation) => {
      const report = await new Promise<{ stack?: string }>((resolve) => {
        pending.set(invocation.invocationId, resolve)
        child.send(invocation)
      })
      if (report.stack !== undefined) throw Object.assign(new Error(report.stack), { stack: report.stack })
    },
    stop: async () => {
      if (child.connected) child.send('terminate')
      const [code] = await exited
      return code
    },
  }
}
