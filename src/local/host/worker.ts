import { createRequire } from 'node:module'
import { createApp, executeHooks, provideCoreApi, registrations } from './core-api.ts'
import { invoke } from './invoke.ts'
import { listenOnLoopbackOnly } from './loopback-only.ts'
import { type FromWorker, toFailure, type ToWorker } from './protocol.ts'
import { killWhenOrphaned } from './watch-parent.ts'

/** Without a parent nobody waits for hooks: less than the 5 s in which children have to end. */
const orphanGraceMs = 3000

const app = createApp((entry) => send({ kind: 'log', entry }))

function send(message: FromWorker, then?: () => void): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => then?.())
  else then?.()
}

async function start(bundle: string, appDirectory: string): Promise<void> {
  try {
    process.chdir(appDirectory)
    createRequire(bundle)(bundle)
    await executeHooks(app, 'appStart', {
      hookData: {},
      appHookData: app.appHookData,
      functionAppDirectory: appDirectory,
    })
    app.started = true
    const capabilities = (await app.model?.getCapabilities?.({})) ?? {}
    send({ kind: 'started', functions: registrations(app), httpUri: capabilities.HttpUri ?? null })
  } catch (error) {
    send({ kind: 'start-failed', error: toFailure(error) }, () => process.exit(1))
  }
}

async function terminate(exitCode: number): Promise<void> {
  try {
    await executeHooks(app, 'appTerminate', { hookData: {}, appHookData: app.appHookData })
  } catch (error) {
    const message = `An appTerminate hook failed: ${toFailure(error).stack}`
    app.log({ level: 'error', category: 'Worker', message }, 'system')
  }
  process.exit(exitCode)
}

async function serve(message: ToWorker): Promise<void> {
  if (message.kind === 'start') return start(message.bundle, message.appDirectory)
  if (message.kind === 'terminate') return terminate(0)
  const { invocationId } = message.request
  try {
    const returnValue = await invoke(app, message.request)
    send({ kind: 'invoked', invocationId, returnValue, error: null })
  } catch (error) {
    send({ kind: 'invoked', invocationId, returnValue: null, error: toFailure(error) })
  }
}

killWhenOrphaned()
listenOnLoopbackOnly()
provideCoreApi(app)
// Ctrl-C reaches the whole process group; the host decides when the worker ends, so that running work can finish.
process.on('SIGINT', () => {})
process.on('message', (message: ToWorker) => void serve(message))
process.on('disconnect', () => {
  setTimeout(() => process.exit(1), orphanGraceMs)
  void terminate(1)
})
