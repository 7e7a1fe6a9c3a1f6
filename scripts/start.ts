import { Command, InvalidArgumentError } from 'commander'
import pc from 'picocolors'
import { readableLog } from '../src/local/app-log.ts'
import { startEnvironment, type Environment } from '../src/local/environment.ts'
import { stopSignal } from '../src/local/processes/stop-signal.ts'

interface Options {
  port: number
  data: string
  json?: true
}

const command = new Command('start')
  .description(
    'Everything on this machine: Postgres, Azurite, a demo model and the Functions host. Ctrl-C stops all of it.',
  )
  .option('--port <N>', 'port of the HTTP API on 127.0.0.1', parsePort, 7071)
  .option('--data <DIR>', 'where missions are kept', '.taskforce')
  .option('--json', 'one JSON value a line; the last one before serving is the ready event')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
command.parse()
await main(command.opts<Options>())

async function main({ port, data, json }: Options): Promise<void> {
  const say = (line: string) =>
    console.log(json ? JSON.stringify({ event: 'progress', message: line }) : `${pc.dim('·')} ${line}`)
  const appLog = readableLog((line) => (json ? console.error(line) : console.log(line)), process.stdout.isTTY)
  const { stopped, isStopped } = stopSignal()
  let environment: Environment
  try {
    environment = await startEnvironment({ dataDir: data, port, log: say, appLog })
  } catch (error) {
    // A Ctrl-C also reaches the tools that are starting things; what they say then is no news.
    if (isStopped()) process.exit(0)
    console.error(pc.red((error as Error).message))
    process.exit(1)
  }
  if (!isStopped()) console.log(json ? JSON.stringify(environment.run) : readyText(environment))
  await stopped
  if (!json) console.log('Stopping …')
  await environment.stop()
  process.exit(0)
}

function readyText({ url, run }: Environment): string {
  const key = process.env['TASKFORCE_API_KEY'] ? ' -H "authorization: Bearer $TASKFORCE_API_KEY"' : ''
  const body = `{"goal": "Ask me for my favourite colour and greet me with it"}`
  return [
    '',
    `${pc.green('Ready')}: ${url}   (Ctrl-C stops everything; missions are kept)`,
    `  database  ${run.databaseUrl}`,
    `  health    ${url}/health/ready`,
    '',
    'Start a mission, in another terminal:',
    `  curl -X POST ${url}/api/v1/missions${key} -H 'content-type: application/json' -d '${body}'`,
    `  npm run mission -- "Total these invoices by customer and say who owes most" --file examples/invoices.csv`,
    '',
  ].join('\n')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}
