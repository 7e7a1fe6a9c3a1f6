import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface Started {
  url: string
  databaseUrl: string
  pid: number
  process: ChildProcess
  stop(): Promise<number | null>
}

/** The command `npm start -- --json` as a process of its own; resolves with its ready line. */
export async function startCommand(dataDir: string, env: Record<string, string> = {}): Promise<Started> {
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, TASKFORCE_API_KEY: _own, ...rest } = process.env
  const args = ['scripts/start.ts', '--port', '0', '--data', dataDir, '--json']
  const child = spawn(process.execPath, args, {
    env: { ...rest, DEMO_DELAY_MS: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-10_000)))
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`npm start ended: ${errors}`)))
  const ready = await Promise.race([readyLine(child), ended])
  ended.catch(() => undefined)
  return { ...ready, process: child, stop: () => stopCommand(child) }
}

async function readyLine(child: ChildProcess): Promise<{ url: string; databaseUrl: string; pid: number }> {
  if (child.stdout === null) throw new Error('no standard output')
  for await (const line of createInterface({ input: child.stdout })) {
    const value = JSON.parse(line) as { event: string; url: string; databaseUrl: string; pid: number }
    if (value.event === 'ready') return value
  }
  // It has ended, or is about to: the exit says more, with what stands on standard error.
  return new Promise<never>(() => undefined)
}

async function stopCommand(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number | null]
  return code
}

/** The first line of Postgres's own file: the process that owns the cluster. */
export function postmasterPid(dataDir: string): number {
  return Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])
}

export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    // A killed child that nobody has waited for is still in the table.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
