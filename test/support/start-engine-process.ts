import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { v7 as uuidv7 } from 'uuid'
import type { Order, ProcessSettings, Said } from './engine-process.ts'
import { until } from './engine.ts'

export interface EngineProcess {
  instance: string
  /** All that it has said so far. */
  said: Said[]
  tell(order: Order['order']): void
  /** Resolves when it has said this so many times, counted from its start. */
  heard(what: Said['said'], times?: number): Promise<void>
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('./engine-process.ts', import.meta.url))

/** An engine in a process of its own, ready for orders; `kill` it when done. */
export async function startEngineProcess(
  url: string,
  { leaseMs = 3_000, skewMs = 0 }: Partial<ProcessSettings> = {},
): Promise<EngineProcess> {
  const instance = uuidv7()
  const settings: ProcessSettings = { url, instance, leaseMs, skewMs }
  const child = fork(SCRIPT, [JSON.stringify(settings)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const exited = once(child, 'exit')
  const said: Said[] = []
  child.on('message', (one: Said) => said.push(one))
  const heard: EngineProcess['heard'] = (what, times = 1) =>
    until(() => {
      if (child.exitCode !== null) throw new Error(`The engine's process ended with ${child.exitCode}`)
      return said.filter((one) => one.said === what).length >= times
    })
  await heard('ready')
  return {
    instance,
    said,
    heard,
    tell: (order) => void child.send({ order }),
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
  }
}
