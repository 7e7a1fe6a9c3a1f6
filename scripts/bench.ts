import { cpus } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { TerminalError } from '../src/domain/errors.ts'
import { backup } from './bench/backup.ts'
import { startBackupServer } from './bench/backup-server.ts'
import { startServer } from './bench/database.ts'
import type { Figure } from './bench/figures.ts'
import { growth } from './bench/growth.ts'
import { countRoundTrips } from './bench/probe.ts'
import { recovery } from './bench/recovery.ts'
import { sse } from './bench/sse.ts'
import { start } from './bench/start.ts'
import { steps } from './bench/steps.ts'
import { waiting } from './bench/waiting.ts'

const onEngine = { steps, growth, start, recovery, sse, waiting }
const benches = { ...onEngine, backup }
type Bench = keyof typeof benches
interface Options {
  json?: boolean
  repeat: number
  full?: boolean
}

await new Command('npm run bench --')
  .description(
    'Measures the engine on a Postgres of its own, beside a bare insert in the same run, and backups beside pg_dump. Medians.',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .argument('<names...>', `which: ${Object.keys(benches).join(', ')}`, benchName)
  .option('--json', 'a JSON value a line')
  .option('--repeat <times>', 'runs of each', count, 3)
  .option(
    '--full',
    'recovery with the lease of production, 30 s: six times as long; waiting with 100,000 missions; backup with 1 GB of rows',
  )
  .action(async (names: Bench[], options: Options) => {
    countRoundTrips()
    const engineBenches = names.filter((name) => name !== 'backup').map((name) => onEngine[name])
    await onServer(startServer, engineBenches, options)
    await onServer(startBackupServer, names.includes('backup') ? [backup] : [], options)
  })
  .parseAsync()
  .catch((error: unknown) => {
    if (!(error instanceof TerminalError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = 1
  })

async function onServer<S extends { version: string; stop(): Promise<void> }>(
  startIt: () => Promise<S>,
  wanted: ((server: S, repeat: number, full: boolean) => Promise<Figure[]>)[],
  { json = false, repeat, full = false }: Options,
): Promise<void> {
  if (wanted.length === 0) return
  const server = await startIt()
  try {
    for (const bench of wanted)
      for (const figure of await bench(server, repeat, full)) print(figure, json, server.version)
  } finally {
    await server.stop()
  }
}

function print(figure: Figure, json: boolean, postgres: string): void {
  const rounded = Object.fromEntries(
    Object.entries(figure).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toPrecision(4)) : value,
    ]),
  )
  const line = { ...rounded, node: process.version, postgres, cpus: cpus().length }
  const { ratio, baselineName, baseline } = figure
  const beside =
    ratio === undefined ? '' : ` = ${ratio.toFixed(2)} of the ${baselineName}'s ${baseline?.toPrecision(3)}`
  const text = `${figure.figure.padEnd(24)} ${figure.value.toPrecision(3)} ${figure.unit}${beside}`
  process.stdout.write(`${json ? JSON.stringify(line) : text}\n`)
}

function benchName(text: string, before: string[] = []): string[] {
  if (Object.hasOwn(benches, text)) return [...before, text]
  throw new InvalidArgumentError(`There are: ${Object.keys(benches).join(', ')}.`)
}

function count(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a number from 1 to 99.')
}
