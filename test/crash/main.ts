/** `npm run test:crash`: kills a worker before and after everything that it asks of the world, and looks at what comes of it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import type { Crash } from '../proof/worker/settings.ts'
import { startOwnServer } from '../support/own-server.ts'
import { bundleWorker } from '../proof/worker/bundle.ts'
import { conclude } from './conclude.ts'
import { startLane } from './lane.ts'
import { isSameAsStatement, nameOf, parsePoint } from './points.ts'
import { describe, Progress } from './progress.ts'
import { listPoints, runTrials, samplePairs, type Bench, type Trial, type TrialResult } from './sweep.ts'

interface Options {
  point: Crash[]
  only?: string
  all?: boolean
  list?: boolean
  pairs: number
  lanes: number
  seed: number
  json?: boolean
}

const GUIDE = `
A point is a call of a port: the name of the port, which of its calls in the worker's life, and what happens there:
  before       SIGKILL just before the call
  after        SIGKILL when the call is done, before anybody has seen its result
  answer-lost  a statement is done, and its answer is a broken connection
  error-before the call throws, and nothing was done
  error-after  the call throws, and it was done

Examples:
  npm run test:crash -- --point "journal.append#7 after"
  npm run test:crash -- --point "journal.append#7 after" --point "sql.claim_missions#1 answer-lost"
The second one strikes the worker that takes over from the first.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.`

const program = new Command('npm run test:crash --')
  .description('Kills a worker at every call that the engine makes, and looks at what becomes of its missions.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .option('--point <name>', 'only this point; given twice, one after the other', addPoint, [])
  .option('--only <port>', 'points of the ports whose names begin so, such as sql.append')
  .option('--all', 'also ports of the database around the statements that they are, which leave the world the same')
  .option('--list', 'names all points and ends')
  .option('--pairs <n>', 'kills of the worker that takes over, sampled', whole, 100)
  .option('--seed <n>', 'which pairs are sampled', whole, 1)
  .option('--lanes <n>', 'points that are run side by side', whole, 6)
  .option('--json', 'nothing but the report, as one line of JSON')
  .addHelpText('after', GUIDE)
  .action(async (options: Options) => {
    process.exitCode = (await run(options)) ? 0 : 1
  })
await program.parseAsync()

async function run(options: Options): Promise<boolean> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-crash-'))
  const server = await startOwnServer()
  const many = options.point.length > 0 ? 1 : Math.max(1, options.lanes)
  const started = await Promise.allSettled(
    Array.from({ length: many }, (_, index) => startLane(server, folder, `lane-${index + 1}`)),
  )
  const lanes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason
    return await runAll({ lanes, script: await bundleWorker(folder) }, options)
  } finally {
    await Promise.all(lanes.map((lane) => lane.stop()))
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function runAll(bench: Bench, options: Options): Promise<boolean> {
  const { point, pairs, seed, json = false, list = false } = options
  const results: TrialResult[] = []
  if (point.length > 0) results.push(...(await runTrials(bench, [point], (result) => tell(describe(result)))))
  else {
    const points = (await listPoints(bench)).filter((one) => isChosen(one, options))
    if (list) return points.every((one) => say(nameOf(one)))
    const singles = points.map((one): Trial => [one])
    results.push(...(await watched(bench, singles, json)))
    const wrong = results.some(({ violations }) => violations.length > 0)
    if (!wrong) results.push(...(await watched(bench, samplePairs(results, pairs, seed), json)))
  }
  return conclude(bench, results, { seed, json })
}

function isChosen(point: Crash, { only = '', all = false }: Options): boolean {
  return point.port.startsWith(only) && (all || only !== '' || !isSameAsStatement(point))
}

async function watched(bench: Bench, trials: readonly Trial[], quiet: boolean): Promise<TrialResult[]> {
  const progress = new Progress(trials, quiet ? () => undefined : tell)
  return runTrials(bench, trials, (result) => progress.add(result))
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`)
}

function say(line: string): boolean {
  return process.stdout.write(`${line}\n`) || true
}

function addPoint(text: string, before: Crash[]): Crash[] {
  const point = parsePoint(text)
  if (point === undefined) throw new InvalidArgumentError('It is written like "journal.append#7 after"; see --list.')
  return [...before, point]
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a whole number.')
}
