import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import { RENEW_MS } from '../../../scripts/deploy/exchange.ts'
import type { DeployContext } from '../../../scripts/deploy/open-session.ts'
import type { Package, Source } from '../../../scripts/deploy/package/build-package.ts'
import { packageBlob } from '../../../scripts/deploy/package/package-blob.ts'
import { LOOK_MS } from '../../../scripts/deploy/session.ts'
import { zip } from '../../../scripts/deploy/package/zip.ts'
import { READ } from '../../../scripts/deploy/parameters/read-from-azure.ts'
import { OF_ONE_RUN, REMEMBERED } from '../../../scripts/deploy/parameters/remember.ts'
import { PROVIDERS } from '../../../scripts/deploy/subscription/require-providers.ts'
import { createTerminal, type Streams } from '../../../scripts/mission/terminal.ts'
import type { Clock } from '../../../src/engine/ports.ts'
import { CODE_REVISION } from '../../../src/db/schema-revision.ts'
import { version } from '../../../src/version.ts'
import { playApps, type PlayedApps } from './play-apps.ts'
import { putAz, putProgram } from './stand-ins.ts'
import { SUBSCRIPTION } from './subscription.ts'

export const MIGRATOR_KEY = 'canary-of-the-migrator-key'
export const ACCOUNT = { id: '00000000-0000-0000-0000-000000000001', name: 'Test', user: { name: 'ada@example.com' } }

/** What the templates' parameters are read from, and what says which environment it is. */
const READ_BY_AZ = [...REMEMBERED, ...OF_ONE_RUN, ...READ]
const VARIABLES = [...new Set([...READ_BY_AZ, 'TASKFORCE_ENVIRONMENT_NAME', 'OPENAI_CAPACITY', 'POSTGRES_SERVER_ID'])]

export interface Run {
  code: number
  stdout: string
  stderr: string
}

export interface Cloud {
  apps: PlayedApps
  /** The clone that is deployed from. */
  cwd: string
  /** What the next package is built from. */
  source: { commit: string; codeRevision: number; hasChanges: boolean }
  /** How long the commands slept, in milliseconds. */
  slept: number[]
  /** How many times a drain is renewed by the clock alone; tests raise it. */
  renewals: { left: number }
  /** How many times the clock lets a stage look whether it takes long; tests raise it. */
  looks: { left: number }
  run(main: (words: string[], context: DeployContext) => Promise<number>, ...words: string[]): Promise<Run>
  /** The same as a process of its own, with the real clock; it builds no small package, so deploy goes as far as that. */
  start(command: 'deploy' | 'rollback', ...words: string[]): ChildProcess
  /** What somebody at a terminal types; undefined: there is nobody. */
  typed: { keys?: string }
  /** What the shell has set, beside what finds the stand-ins. */
  env: NodeJS.ProcessEnv
  /** Lets calls of az whose words contain `match` fail, once the first `passes` of them have passed. */
  fail(match: string, stderr?: string, times?: number, passes?: number): Promise<void>
  set(file: string, value: unknown): Promise<void>
  /** Puts a blob where the deployments are kept. */
  setBlob(name: string, text: string): Promise<void>
  /** Lets the next of them but `passes` do what it is asked to, and fail all the same: its answer is lost. */
  lose(match: string, passes?: number): Promise<void>
  /** Lets calls of az whose words contain `match` wait, before or after what they do, until `go` is called, once `passes` have passed. */
  hold(
    match: string,
    passes?: number,
    when?: 'before' | 'after',
  ): Promise<{ go: () => Promise<void>; pid: () => Promise<number> }>
  calls(): Promise<string[]>
  /** What the last call of that name would have read for the parameter files. */
  parametersOf(verb: string): Promise<Record<string, string>>
  /** Everything that was written where people look: logs and records. */
  written(): Promise<string>
  packageOf(commit: string): string
}

/** Azure as far as the scripts know it: stand-ins for az and git on PATH, and a server that plays what was published. */
export async function createCloud(): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-cloud-'))
  const [bin, state, cwd] = ['bin', 'cloud', 'clone'].map((name) => join(folder, name)) as [string, string, string]
  await Promise.all([bin, state, cwd].map((path) => mkdir(path)))
  const apps = await playApps({ cloud: state, migratorKey: MIGRATOR_KEY })
  onTestFinished(async () => {
    await apps.stop()
    await endAz()
    await rm(folder, { recursive: true, force: true })
  })
  const set = (file: string, value: unknown) => writeFile(join(state, file), JSON.stringify(value))
  const source = { commit: 'a'.repeat(40), codeRevision: CODE_REVISION, hasChanges: false }
  const endAz = await putAz(bin, state, VARIABLES)
  await set('account.json', ACCOUNT)
  await set('providers.json', PROVIDERS)
  for (const [file, value] of Object.entries(SUBSCRIPTION)) await set(file, value)
  await set('parameters.json', READ_BY_AZ)
  await set('remembered.json', REMEMBERED)
  await set('migrator-key.json', MIGRATOR_KEY)
  await set('outputs.json', outputsOf(apps.url))
  const slept: number[] = []
  const renewals = { left: 0 }
  const looks = { left: 0 }
  const shell: NodeJS.ProcessEnv = {}
  const typed: Cloud['typed'] = {}
  const shas = new Map<string, string>()
  const build = async (given: Source, packages: string) => {
    const made = await buildSmall(given, packages, source.codeRevision)
    shas.set(given.commit, made.sha256)
    return made
  }
  const calls = async () =>
    (await readFile(join(state, 'calls.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as string[]).join(' '))
  const envOf = () => ({ ...shell, PATH: [bin, process.env.PATH].join(delimiter) })
  return {
    apps,
    cwd,
    start(command, ...words) {
      const script = join(import.meta.dirname, '../../../scripts', `${command}.ts`)
      const child = spawn(process.execPath, [script, ...words], {
        cwd,
        env: envOf(),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      onTestFinished(() => void child.kill('SIGKILL'))
      return child
    },
    env: shell,
    typed,
    source,
    slept,
    renewals,
    looks,
    set,
    setBlob: async (name, text) => {
      await mkdir(dirname(join(state, 'blobs', name)), { recursive: true })
      await writeFile(join(state, 'blobs', name), text)
    },
    calls,
    parametersOf: async (verb) => {
      const lines = (await readFile(join(state, 'parameters.jsonl'), 'utf8')).trim().split('\n')
      const all = lines.map((line) => JSON.parse(line) as Record<string, string>)
      const { verb: _, ...read } = all.findLast((call) => call['verb'] === verb) ?? {}
      return read
    },
    lose: async (match, passes = 0) =>
      set('failures.json', [{ match, stderr: 'ERROR: Connection reset by peer', times: 1, passes, isLost: true }]),
    hold: async (match, passes = 0, when = 'before') => {
      await set('hold.json', { match, passes, when })
      return {
        go: () => rm(join(state, 'hold.json')),
        pid: async () => Number(await readFile(join(state, 'held.pid'), 'utf8').catch(() => 0)),
      }
    },
    packageOf: (commit) => shas.get(commit) ?? '',
    fail: async (match, stderr = `ERROR: no ${match} today`, times = 1, passes = 0) =>
      set('failures.json', [{ match, stderr, times, passes }]),
    written: async () => (await readAll(join(cwd, '.taskforce'))) + (await readAll(join(state, 'blobs'))),
    async run(main, ...words) {
      await putProgram(bin, 'git', gitOf(source))
      const isTTY = typed.keys !== undefined
      const opened = () => Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined })
      const streams = { stdin: opened(), stdout: opened(), stderr: opened() }
      if (isTTY) streams.stdin.write(typed.keys)
      const terminal = createTerminal(streams as unknown as Streams, {})
      const code = await main(words, {
        env: envOf(),
        cwd,
        terminal,
        clock: clockOf(slept, { renewals, looks }),
        build,
      })
      return { code, stdout: String(streams.stdout.read() ?? ''), stderr: String(streams.stderr.read() ?? '') }
    },
  }
}

function gitOf({ commit, hasChanges }: Cloud['source']): string {
  return `if [ "$1" = status ]; then echo '${hasChanges ? ' M src/version.ts' : ''}'; else echo ${commit}; fi\n`
}

/** Sleeps at once, and says how long it would have been; but what is done from time to time is done as often as a test says. */
function clockOf(slept: number[], { renewals, looks }: Pick<Cloud, 'renewals' | 'looks'>): Clock {
  let at = 0
  const often = new Map([
    [RENEW_MS, renewals],
    [LOOK_MS, looks],
  ])
  return {
    monotonic: () => at,
    sleep: async (ms, signal) => {
      const times = often.get(ms)
      if (times !== undefined && times.left-- <= 0)
        return new Promise((done) => signal?.addEventListener('abort', () => done(), { once: true }))
      slept.push(ms)
      at += ms
    },
  }
}

/** As `buildPackage`, of a few small files: which it is shows in its hash. */
async function buildSmall(given: Source, folder: string, codeRevision: number): Promise<Package> {
  const { commit, hasChanges } = given
  const build = createHash('sha256').update(commit).digest('hex').slice(0, 16)
  const bytes = zip([
    { name: 'host.json', bytes: Buffer.from('{}') },
    { name: 'package.json', bytes: Buffer.from(JSON.stringify({ version, commit })) },
    { name: 'dist/build.json', bytes: Buffer.from(JSON.stringify({ build })) },
    { name: 'dist/check-deploy.cjs', bytes: Buffer.from('exports.nextDecision = () => ({})') },
  ])
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const blob = packageBlob({ commit, sha256: hasChanges ? sha256 : undefined })
  const file = join(folder, blob.slice('packages/'.length))
  await mkdir(folder, { recursive: true })
  await writeFile(file, bytes)
  return { version, commit, codeRevision, build, blob, sha256, bytes: bytes.length, file }
}

/** All that the templates say, beside what differs from one environment to the next. */
function outputsOf(url: string): object {
  return {
    AZURE_RESOURCE_GROUP: 'rg-test',
    AZURE_FUNCTION_APP_NAME: 'func-app',
    API_URL: url,
    AZURE_MIGRATOR_APP_NAME: 'func-migrator',
    MIGRATOR_URL: url,
    AZURE_STORAGE_ACCOUNT: 'stdata',
    DEPLOYMENTS_CONTAINER: 'deployments',
    AZURE_KEY_VAULT_NAME: 'kv-test',
    API_KEY_SECRET_NAME: 'taskforce-api-key',
    // Where nobody listens in the language of Postgres with TLS.
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_DATABASE: 'taskforce',
  }
}

async function readAll(folder: string): Promise<string> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  const texts = names.filter((name) => /\.(log|json)$/.test(name)).map((name) => readFile(join(folder, name), 'utf8'))
  return (await Promise.all(texts)).join('\n')
}
