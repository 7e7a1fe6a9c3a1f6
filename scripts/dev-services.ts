import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command } from 'commander'
import pc from 'picocolors'
import { lockFolder, removeRunFile, writeRunFile } from '../src/local/run-file.ts'
import { startServices, type Services } from '../src/local/services.ts'

const command = new Command('dev:services')
  .description('Postgres and Azurite alone, for "func start"; writes local.settings.json if there is none.')
  .option('--data <DIR>', 'where missions are kept', '.taskforce')
  .option('--json', 'one JSON value a line; the last one before serving is the ready event')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
command.parse()
await main(command.opts<{ data: string; json?: true }>())

const root = join(import.meta.dirname, '..')

async function main({ data, json }: { data: string; json?: true }): Promise<void> {
  const say = (line: string) =>
    console.log(json ? JSON.stringify({ event: 'progress', message: line }) : `${pc.dim('·')} ${line}`)
  const stopped = new Promise<void>((resolve) => {
    process.on('SIGINT', () => resolve())
    process.on('SIGTERM', () => resolve())
  })
  try {
    const unlock = lockFolder(data)
    const services = await startServices(data, say)
    const ready = { event: 'ready' as const, url: 'http://localhost:7071', ...connections(services), pid: process.pid }
    writeRunFile(data, ready)
    say(writeSettings(services))
    console.log(json ? JSON.stringify(ready) : `\n${pc.green('Ready')}: now run "func start" (Ctrl-C stops both)\n`)
    await stopped
    removeRunFile(data)
    await services.stop()
    unlock()
    process.exit(0)
  } catch (error) {
    console.error(pc.red((error as Error).message))
    process.exit(1)
  }
}

function connections({ ownerUrl, storageConnectionString }: Services) {
  return { databaseUrl: ownerUrl, storageConnectionString }
}

/** From the example, with what runs here. A file that is there is the user's own and is left alone. */
function writeSettings({ appUrl, storageConnectionString }: Services): string {
  const path = join(root, 'local.settings.json')
  const own = {
    DATABASE_URL: appUrl,
    AzureWebJobsStorage: storageConnectionString,
    JOBS_STORAGE: storageConnectionString,
  }
  if (existsSync(path)) return `local.settings.json is left as it is; this run's DATABASE_URL is ${appUrl}`
  const example = JSON.parse(readFileSync(join(root, 'local.settings.example.json'), 'utf8')) as { Values: object }
  const settings = { ...example, Values: { ...example.Values, ...own } }
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
  return 'local.settings.json written'
}
