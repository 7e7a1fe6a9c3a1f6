import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { TerminalError } from '../../domain/errors.ts'
import { endLeftover } from '../processes/end-leftover.ts'
import { type GuardedProcess, spawnGuarded } from '../processes/spawn-guarded.ts'

export type AzuriteOptions = {
  dataDir: string
  log?: (line: string) => void
  /** Free ports by default. */
  blobPort?: number
  queuePort?: number
}

export type LocalAzurite = {
  pid: number
  /** For both services, with the development account that every copy of Azurite has. */
  connectionString: string
  blobPort: number
  queuePort: number
  exited: GuardedProcess['exited']
  stop: () => Promise<void>
  /** SIGKILL, for crash tests; the last 100 ms of changes may be lost. */
  kill: () => Promise<void>
}

/** Public knowledge: learn.microsoft.com, "Connect to Azurite", "Well-known storage account and key". */
const ACCOUNT = 'devstoreaccount1'
const KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

const READY_WITHIN_MS = 60_000
const saveSoon = new URL('./save-soon.ts', import.meta.url).href

/**
 * Azurite's blob and queue services on 127.0.0.1, ended with this process; resolves when both answer. It makes no
 * connection off the machine. Throws TerminalError with one sentence that says what to do.
 */
export async function startAzurite(options: AzuriteOptions): Promise<LocalAzurite> {
  const log = options.log ?? (() => undefined)
  const dataDir = resolve(options.dataDir)
  await mkdir(dataDir, { recursive: true })
  const pidFile = join(dataDir, 'azurite.pid')
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  const leftover = { stopSignal: 'SIGTERM', name: 'Azurite', folder: dataDir, log } as const
  if (pid) await endLeftover({ ...leftover, pid, marks: ['azurite', `--location=${dataDir} `] })
  const output: string[] = []
  const server = await spawnGuarded({
    ...azuriteCommand(dataDir, options),
    stopGraceMs: 10_000,
    log: (line) => {
      output.push(line)
      if (output.length > 50) output.shift()
      log(line)
    },
  })
  await writeFile(pidFile, String(server.pid))
  const exited = server.exited.then(async (exit) => {
    await rm(pidFile, { force: true })
    return exit
  })
  try {
    const { blobPort, queuePort } = await ready(server, output, options)
    return {
      pid: server.pid,
      connectionString: connectionString(blobPort, queuePort),
      blobPort,
      queuePort,
      exited,
      stop: () =>
        server
          .stop()
          .then(() => exited)
          .then(() => undefined),
      kill: () =>
        server
          .kill()
          .then(() => exited)
          .then(() => undefined),
    }
  } catch (error) {
    await server.stop()
    throw error
  }
}

function azuriteCommand(dataDir: string, { blobPort = 0, queuePort = 0 }: AzuriteOptions) {
  const script = join(dirname(createRequire(import.meta.url).resolve('azurite/package.json')), 'dist/src/azurite.js')
  const { PATH, HOME, SystemRoot } = process.env
  const host = '127.0.0.1'
  // Azurite has no switch that leaves the table service out.
  const options = { blobHost: host, blobPort, queueHost: host, queuePort, tableHost: host, tablePort: 0 }
  return {
    command: process.execPath,
    args: [
      '--disable-warning=ExperimentalWarning',
      `--import=${saveSoon}`,
      script,
      `--location=${dataDir}`,
      '--silent',
      '--skipApiVersionCheck',
      '--disableTelemetry',
      ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ],
    // Nothing inherited: AZURITE_DB and AZURITE_ACCOUNTS would change where it stores and whom it lets in.
    env: { PATH, HOME, SystemRoot },
    cwd: dataDir,
  }
}

/** Azurite prints the ports it got; asked for port 0 it takes free ones. */
async function ready(server: GuardedProcess, output: string[], options: AzuriteOptions) {
  const end = new AbortController()
  void server.exited.then(() => end.abort())
  const deadline = Date.now() + READY_WITHIN_MS
  while (!end.signal.aborted && Date.now() < deadline) {
    const [blobPort, queuePort] = [portOf('Blob', output), portOf('Queue', output)]
    if (blobPort && queuePort && (await answers(blobPort)) && (await answers(queuePort))) return { blobPort, queuePort }
    await new Promise((wake) => setTimeout(wake, 30))
  }
  throw failure(output, options)
}

function portOf(service: 'Blob' | 'Queue', output: string[]): number {
  const told = new RegExp(`^Azurite ${service} service is successfully listening at http://127\\.0\\.0\\.1:(\\d+)`)
  for (const line of output) {
    const port = told.exec(line)?.[1]
    if (port) return Number(port)
  }
  return 0
}

/** Any answer will do; without a signature it is 403. */
function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/${ACCOUNT}?comp=list`).then(
    async (response) => response.text().then(() => true),
    () => false,
  )
}

function connectionString(blobPort: number, queuePort: number): string {
  const url = (port: number) => `http://127.0.0.1:${port}/${ACCOUNT}`
  return `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${url(blobPort)};QueueEndpoint=${url(queuePort)};`
}

function failure(output: string[], { dataDir }: AzuriteOptions): TerminalError {
  const text = output.join('\n')
  const error = (code: string, message: string) => new TerminalError(code, message, { cause: text })
  const port = /EADDRINUSE.*:(\d+)/.exec(text)?.[1]
  if (port)
    return error(
      'azurite_port_in_use',
      `Port ${port} on 127.0.0.1 is taken by another program: stop that program or choose another port for Azurite.`,
    )
  if (/ENOSPC|EDQUOT/.test(text))
    return error('azurite_disk_full', `The disk of ${dataDir} is full: free some space there and start again.`)
  const last = output.findLast((line) => /error/i.test(line)) ?? output.at(-1) ?? 'no output'
  return error('azurite_not_started', `Azurite could not start (${dataDir}): ${last.trim()}`)
}
