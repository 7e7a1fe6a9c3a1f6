import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openChannel, type GrpcChannel } from './grpc-channel.ts'
import type { FromWorker, Result } from './worker-messages.ts'
import type { Binding, SeenFunction, WorkerHost } from './worker-host.ts'

const onLoopback = fileURLToPath(new URL('./listen-on-loopback.ts', import.meta.url))

/** What Microsoft's host says of itself; version and length are those of 4.1037. */
const HOST_VERSION = '4.1037.0'
const MAX_MESSAGE_BYTES = 2_147_483_647

/** WorkerConstants.WorkerTerminateGracePeriodInSeconds. */
const GRACE_MS = 5_000

export interface RealWorkerOptions {
  /** nodejsWorker.js. */
  script: string
  /** The folder with host.json, package.json and dist. */
  app: string
  env: Record<string, string>
  /** Node to run it with. */
  node?: string
  /**
   * Start in this empty folder and get the app and its settings in a second message, as an instance of Flex Consumption does
   * that was kept warm: the worker wipes its environment then.
   */
  placeholder?: string
}

export interface RealWorker extends WorkerHost {
  /** What the worker sent as log and wrote to its streams. */
  output: string[]
}

/** Starts Microsoft's worker and goes through the messages of a start in the order of the host's GrpcWorkerChannel. */
export async function startRealWorker(options: RealWorkerOptions): Promise<RealWorker> {
  const output: string[] = []
  const replies = new Map<string, (message: FromWorker) => void>()
  const channel = await openChannel((message) => {
    if (message.rpcLog !== undefined) output.push(message.rpcLog.message ?? '')
    else replies.get(keyOf(message))?.(message)
  })
  const started = new Promise<FromWorker>((resolve) => replies.set('start', resolve))
  const child = startProcess(options, channel.port)
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => output.push(String(chunk)))
  const exited = once(child, 'exit').then(async ([code]) => {
    await channel.close()
    return code as number | null
  })
  const gone = exited.then((code) => Promise.reject(new Error(`The worker ended with ${code}:\n${output.join('\n')}`)))
  // Only who waits for an answer wants to know.
  gone.catch(() => undefined)
  const ask: Ask = (key, message) => {
    const reply = new Promise<FromWorker>((resolve) => replies.set(key, resolve))
    channel.send(message)
    return Promise.race([reply, gone])
  }
  const kill = () => void child.kill('SIGKILL')
  const loaded = await load(options, Promise.race([started, gone]), ask).catch((error: unknown) => {
    kill()
    throw error
  })
  return {
    ...loaded,
    output,
    invoke: async ({ functionName, ...invocation }) => {
      const request = { ...invocation, functionId: functionName }
      const reply = await ask(invocation.invocationId, { requestId: randomUUID(), invocationRequest: request })
      check(reply.invocationResponse?.result)
    },
    stop: () => terminate(channel, exited, kill),
  }
}

type Ask = (key: string, message: Record<string, unknown>) => Promise<FromWorker>

/** Answers to invocations come in any order; everything else is asked one at a time. */
function keyOf(message: FromWorker): string {
  if (message.startStream !== undefined) return 'start'
  return message.invocationResponse?.invocationId ?? message.requestId ?? ''
}

function startProcess({ script, app, env, placeholder, node = process.execPath }: RealWorkerOptions, port: number) {
  const uri = `http://127.0.0.1:${port}/`
  const args = { uri, 'worker-id': randomUUID(), 'request-id': randomUUID() }
  const flags = Object.entries(args).map(([name, value]) => `--functions-${name}=${value}`)
  flags.push(`--functions-grpc-max-message-length=${MAX_MESSAGE_BYTES}`)
  return spawn(node, [`--import=${onLoopback}`, script, ...flags], {
    cwd: placeholder ?? app,
    env: placeholder === undefined ? env : { PLACEHOLDER: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function load(options: RealWorkerOptions, connected: Promise<unknown>, ask: Ask) {
  await connected
  const capabilities = await loadApp(options, ask)
  return { capabilities, functions: await indexFunctions(options, ask) }
}

async function loadApp(
  { script, app, env, placeholder }: RealWorkerOptions,
  ask: Ask,
): Promise<Record<string, string>> {
  const init = {
    hostVersion: HOST_VERSION,
    capabilities: { MultiStream: 'true' },
    workerDirectory: dirname(dirname(dirname(script))),
    functionAppDirectory: placeholder ?? app,
  }
  const { workerInitResponse: started } = await ask('init', { requestId: 'init', workerInitRequest: init })
  check(started?.result)
  if (placeholder === undefined) return started?.capabilities ?? {}
  const reload = { environmentVariables: env, functionAppDirectory: app }
  const { functionEnvironmentReloadResponse: reloaded } = await ask('reload', {
    requestId: 'reload',
    functionEnvironmentReloadRequest: reload,
  })
  check(reloaded?.result)
  return reloaded?.capabilities ?? {}
}

async function indexFunctions({ app }: RealWorkerOptions, ask: Ask): Promise<SeenFunction[]> {
  const asked = { requestId: 'metadata', functionsMetadataRequest: { functionAppDirectory: app } }
  const { functionMetadataResponse } = await ask('metadata', asked)
  check(functionMetadataResponse?.result)
  const found = functionMetadataResponse?.functionMetadataResults ?? []
  for (const { functionId, ...metadata } of found) {
    const message = {
      requestId: functionId,
      functionLoadRequest: { functionId, metadata: { ...metadata, functionId } },
    }
    const { functionLoadResponse } = await ask(functionId, message)
    check(functionLoadResponse?.result)
  }
  return found.map(({ name, rawBindings }) => {
    const bindings = rawBindings.map((raw) => JSON.parse(raw) as Binding & { name: string })
    return { name, bindings: Object.fromEntries(bindings.map((binding) => [binding.name, binding])) }
  })
}

/** As the host's StopWorkerProcess: a message, 5 s of patience, and the process is killed. */
async function terminate(channel: GrpcChannel, exited: Promise<number | null>, kill: () => void) {
  channel.send({ requestId: randomUUID(), workerTerminate: { gracePeriod: { seconds: GRACE_MS / 1000 } } })
  const timer = setTimeout(kill, GRACE_MS)
  const code = await exited
  clearTimeout(timer)
  return code
}

function check(result: Result | undefined): void {
  if (result?.status === 1) return
  const { message = 'The worker reported a failure without a reason.', stackTrace } = result?.exception ?? {}
  throw Object.assign(new Error(message), { stack: stackTrace })
}
