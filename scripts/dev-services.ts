import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import pc from 'picocolors'
import { stopSignal } from '../src/local/processes/stop-signal.ts'
import { lockFolder, removeRunFile, writeRunFile } from '../src/local/run-file.ts'
import { startServices, type Services } from '../src/local/services.ts'

interface Options {
  data: string
  settings: string
  json?: true
}

const root = join(import.meta.dirname, '..')

const command = new Command('dev:services')
  .description('Postgres and Azurite alone, for "func start"; writes local.settings.json if there is none.')
  .option('--data <DIR>', 'where missions are kept', '.taskforce')
  .option('--settings <FILE>', 'the settings file of func', join(root, 'local.settings.json'))
  .option('--json', 'one JSON value a line; the last one before serving is the ready event')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
command.parse()
await main(command.opts<Options>())

async function main({ data, settings, json }: Options): Promise<void> {
  const say = (line: string) =>
    console.log(json ? JSON.stringify({ event: 'progress', message: line }) : `${pc.dim('·')} ${line}`)
  const { stopped } = stopSignal()
  let unlock = () => {}
  let services: Services | undefined
  try {
    unlock = lockFolder(data)
    services = await startServices(data, say)
    const ready = { event: 'ready' as const, url: 'http://localhost:7071', ...connections(services), pid: process.pid }
    writeRunFile(data, ready)
    say(writeSettings(settings, services))
    console.log(json ? JSON.stringify(ready) : `\n${pc.green('Ready')}: now run "func start" (Ctrl-C stops both)\n`)
    await stopped
  } catch (error) {
    console.error(pc.red((error as Error).message))
    process.exitCode = 1
  }
  // Where the folder was in use, the file is another process's.
  if (services !== undefined) removeRunFile(data)
  await services?.stop()
  unlock()
  process.exit()
}

function connections({ ownerUrl, storageConnectionString }: Services) {
  return { databaseUrl: ownerUrl, storageConnectionString }
}

/** From the example, with what runs here. A file that is there is the user's own and is left alone. */
function writeSettings(path: string, { appUrl, storageConnectionString }: Services): string {
  const own = {
    DATABASE_URL: appUrl,
    AzureWebJobsStorage: storageConnectionString,
    JOBS_STORAGE: storageConnectionString,
  }
  if (existsSync(path)) return `${path} is left as it is; this run's DATABASE_URL is ${appUrl}`
  const example = JSON.parse(readFileSync(join(root, 'local.settings.example.json'), 'utf8')) as { Values: object }
  const settings = { ...example, Values: { ...example.Values, ...own } }
  // Whole or not at all: func may be waiting for it.
  const whole = `${path}.${process.pid}`
  writeFileSync(whole, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  renameSync(whole, path)
  return `${path} written`
}
