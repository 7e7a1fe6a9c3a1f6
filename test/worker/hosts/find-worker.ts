import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'

/** The worker's own file in its folder (worker.config.json, "defaultWorkerPath"). */
const SCRIPT = 'dist/src/nodejsWorker.js'

/** Where Microsoft's images keep it. */
const IMAGE = '/azure-functions-host/workers/node'

/**
 * Microsoft's Node worker on this machine: the folder that `FUNCTIONS_NODE_WORKER` names, else the one of Core Tools (`func` on
 * the PATH) or of the Functions base image. It is on no public registry by itself. Throws where the setting names none.
 */
export function findWorker(env: NodeJS.ProcessEnv): string | undefined {
  const named = env['FUNCTIONS_NODE_WORKER']
  if (named && !existsSync(join(named, SCRIPT))) {
    throw new Error(`FUNCTIONS_NODE_WORKER names ${named}, but there is no ${SCRIPT} in it.`)
  }
  const folder = [named, ...coreTools(env), IMAGE].find((at) => at && existsSync(join(at, SCRIPT)))
  return folder && join(folder, SCRIPT)
}

/** `func` is a program in the folder of Core Tools, or npm's link to a script one folder below it. */
function coreTools({ PATH = '' }: NodeJS.ProcessEnv): string[] {
  const func = PATH.split(delimiter).flatMap((folder) => ['func', 'func.exe'].map((name) => join(folder, name)))
  return func
    .filter((file) => existsSync(file))
    .map((file) => dirname(realpathSync(file)))
    .flatMap((folder) => [join(folder, 'workers/node'), join(folder, '../bin/workers/node')])
}
