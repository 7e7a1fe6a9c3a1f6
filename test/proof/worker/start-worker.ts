import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { GivenSettings, Said } from './settings.ts'

/** How a process ended: its exit code, or the signal that killed it. */
export interface WorkerExit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface WorkerProcess {
  instance: string
  pid: number
  /** All that it has said so far. */
  said: Said[]
  /** Resolves when it is gone, whatever the reason. */
  exited: Promise<WorkerExit>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP: it stands still with all its connections and timers. */
  stop(): void
  /** SIGCONT. */
  cont(): void
  /** SIGTERM: hands over what runs and leaves; resolves when it is gone. */
  drain(): Promise<WorkerExit>
}

const SCRIPT = fileURLToPath(new URL('./worker.ts', import.meta.url))

export interface StartOptions {
  /** Called with each thing that it says. */
  onSaid?: (said: Said) => void
  /** The worker's code where it is not `worker.ts`: a bundle of it starts in a third of the time. */
  script?: string
  /** A folder where Node keeps the code as it is compiled, for the next one. */
  compileCache?: string
}

/** A worker that has begun to consume the queue. It ends with this process. Throws where it ends before that. */
export async function startWorker(settings: GivenSettings, options: StartOptions = {}): Promise<WorkerProcess> {
  const { onSaid, script = SCRIPT, compileCache } = options
  const env = compileCache === undefined ? process.env : { ...process.env, NODE_COMPILE_CACHE: compileCache }
  const execArgv = ['--disable-warning=ExperimentalWarning']
  const child = fork(script, [JSON.stringify(settings)], { execArgv, env })
  const exited = new Promise<WorkerExit>((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })))
  const ready = Promise.withResolvers<void>()
  const said: Said[] = []
  child.on('message', (one: Said) => {
    said.push(one)
    onSaid?.(one)
    if (one.said === 'ready') ready.resolve()
  })
  child.on('error', (error) => ready.reject(error))
  void exited.then(({ code, signal }) =>
    ready.reject(new Error(`The worker ended before it was ready: ${signal ?? code}`)),
  )
  await ready.promise
  return {
    instance: settings.instance,
    pid: child.pid ?? 0,
    said,
    exited,
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    stop: () => void child.kill('SIGSTOP'),
    cont: () => void child.kill('SIGCONT'),
    async drain() {
      child.kill('SIGTERM')
      return exited
    },
  }
}
