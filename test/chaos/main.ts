/** Chaos and soak: real worker processes on real servers, and everything that can break does. */
import { appendFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { check } from '../proof/check.ts'
import { countFaults, printReport, recoveryTimes } from '../proof/report.ts'
import { recorderNow } from './clock.ts'
import { evidenceOf, figuresOf } from './print.ts'
import { runChaos, type ChaosRun } from './run.ts'
import { CHAOS, COMMON, SOAK, type ChaosSettings } from './settings.ts'

interface Options {
  soak?: boolean
  seed: number
  missions?: number
  minutes?: number
  leaseMs: number
  sweepMs: number
  restMs: number
  json?: boolean
  keep?: boolean
}

/** What a run must have had, or it has proven nothing. */
const NEEDED = ['kill', 'freeze', 'database-crash', 'answer-lost']
/** Timers of processes on a machine with more to do than cores are late by as much: an abort comes with the next turn of the loop. */
const OVERLAP_MS = 1_500

await new Command('npm run test:chaos --')
  .description(
    'Runs missions on three workers while workers, Postgres, Azurite and connections break; then checks everything.',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .option('--soak', `${SOAK.missions} missions; the first worker is frozen at times and never killed`)
  .option('--seed <number>', 'of the missions and the faults; the moments still differ', whole, Date.now() % 1_000_000)
  .option('--missions <number>', `${CHAOS.missions} by default`, atLeastOne)
  .option('--minutes <number>', 'for how long missions are created and things break', minutes)
  .option('--lease-ms <ms>', 'lease of the workers', atLeastOne, COMMON.leaseMs)
  .option('--sweep-ms <ms>', 'from one sweep to the next', atLeastOne, COMMON.sweepMs)
  .option('--rest-ms <ms>', 'in which everything must come to rest after the last fault', whole, COMMON.restMs)
  .option('--json', 'nothing but the report on stdout')
  .option('--keep', 'keeps the folder with the servers, the ledger and the logs')
  .action(async (options: Options) => {
    process.exitCode = (await main(options)) ? 0 : 1
  })
  .parseAsync()

async function main(options: Options): Promise<boolean> {
  const { json = false, keep = false } = options
  const settings = settingsOf(options)
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-chaos-'))
  const begun = recorderNow()
  const interrupted = () => {
    rmSync(folder, { recursive: true, force: true })
    process.exit(130)
  }
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
  const print = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`)
  const log = (line: string) => {
    const text = `${((recorderNow() - begun) / 1000).toFixed(1).padStart(7)} s  ${line}`
    appendFileSync(join(folder, 'chaos.log'), `${text}\n`)
    if (!/^(kill|drain|freeze|database|storage)/.test(line)) print(text)
  }
  print(`Seed ${settings.seed}, ${settings.missions} missions in ${settings.minutes} minutes, in ${folder}`)
  const run = await runChaos(settings, folder, log)
  const passed = await conclude(settings, run, folder, print)
  if (keep || !passed)
    print(`The servers' data, ledger.jsonl, workers.jsonl, chaos.log and history.json are in ${folder}`)
  else await rm(folder, { recursive: true, force: true })
  return passed
}

async function conclude(
  { seed, leaseMs }: ChaosSettings,
  run: ChaosRun,
  folder: string,
  print: (line: string) => void,
): Promise<boolean> {
  const { history } = run
  await writeFile(join(folder, 'history.json'), JSON.stringify(history))
  const violations = check(history, { cancelMs: leaseMs + 5_000, overlapMs: OVERLAP_MS })
  for (const line of [...figuresOf(run), ...evidenceOf(history, violations)]) print(line)
  const faults = countFaults(history.faults)
  const missing = NEEDED.filter((kind) => !faults.has(kind))
  if (missing.length > 0)
    print(`FAILED: nothing of ${missing.join(', ')} ever happened, so this run proves little; give it more minutes`)
  if (run.atRestMs === undefined) print('FAILED: not everything came to rest in time')
  for (const how of run.unasked) print(`FAILED: a worker ended by itself: ${how}`)
  if (run.stubborn > 0) print(`FAILED: ${run.stubborn} workers did not end when they were asked to`)
  const lines: string[] = []
  const isWhole = printReport(
    {
      unit: 'missions',
      number: history.missions.length,
      violations: [violations],
      recoveriesMs: recoveryTimes(history),
      faults,
      seed,
    },
    (line) => lines.push(line),
  )
  for (const line of lines.slice(0, -1)) print(line)
  process.stdout.write(`${lines.at(-1)}\n`)
  const isClean = run.unasked.length === 0 && run.stubborn === 0
  if (!isWhole || !isClean) process.stderr.write(`Again, with other moments: npm run test:chaos -- --seed ${seed}\n`)
  return isWhole && isClean && missing.length === 0 && run.atRestMs !== undefined
}

function settingsOf({
  soak = false,
  seed,
  missions,
  minutes: given,
  leaseMs,
  sweepMs,
  restMs,
}: Options): ChaosSettings {
  const base = soak ? SOAK : CHAOS
  const number = missions ?? base.missions
  // At the same rate, whatever their number.
  const long = given ?? (base.minutes * number) / base.missions
  return { seed, missions: number, minutes: long, workers: COMMON.workers, leaseMs, sweepMs, restMs, elder: base.elder }
}

function whole(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a whole number.')
}

function atLeastOne(text: string): number {
  const number = whole(text)
  if (number === 0) throw new InvalidArgumentError('It takes at least 1.')
  return number
}

function minutes(text: string): number {
  if (/^\d{1,4}(\.\d+)?$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a number such as 4 or 0.5.')
}
