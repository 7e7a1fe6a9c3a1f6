/** `npm run test:sim`: the real engine on simulated ports, in thousands of histories that each follow from a number. */
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError, Option } from 'commander'
import { printReport } from '../proof/report.ts'
import { startOwnServer } from '../support/own-server.ts'
import { commandFor, describeFailure } from './print.ts'
import type { Case } from './run-history.ts'
import { runMany } from './run-many.ts'
import type { Failure, Share } from './simulate.ts'

interface Options {
  histories: number
  seed: number
  store: 'memory' | 'postgres'
  missions?: string[]
  faults?: string[]
  first?: boolean
  trace?: boolean
  json?: boolean
}

const GUIDE = `
Each history has one to four missions, three instances, people and a network that fails, all from its seed; the seeds are
--seed, the one after it, and so on. One that breaks a rule is made as small as it goes and printed with the command that
shows it again. --store postgres runs the same histories on the statements' own SQL, about a hundred times slower.

Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.`

/** Whole traces; the others are named with their commands. */
const MOST_SHOWN = 3

const program = new Command('npm run test:sim --')
  .description('Runs missions under every fault in a world of which everything follows from a number.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
  .option('--histories <n>', 'how many', atLeastOne, 20_000)
  .option('--seed <n>', 'of the first one', whole, 1)
  .addOption(
    new Option('--store <name>', 'what the statements run on').choices(['memory', 'postgres']).default('memory'),
  )
  .option('--missions <list>', 'only these missions of the plan, by number', numbers)
  .option('--faults <list>', 'only these faults, by id; "none" for none', faultIds)
  .option('--first', 'ends with the first history that breaks a rule, and leaves it as it is')
  .option('--trace', 'what everybody did, of each history')
  .option('--json', 'nothing but the report on standard output')
  .addHelpText('after', GUIDE)
  .action(async (options: Options) => {
    process.exitCode = (await run(options)) ? 0 : 1
  })

async function run(options: Options): Promise<boolean> {
  const { histories, seed, store, json = false } = options
  const print = (line: string) => (json ? process.stderr : process.stdout).write(`${line}\n`)
  const found = await (store === 'memory' ? collect(options, []) : onPostgres(options))
  found.failures.slice(0, MOST_SHOWN).forEach((failure) => describeFailure(failure, store).forEach(print))
  for (const { smallest, violations } of found.failures.slice(MOST_SHOWN, 50)) {
    print(`Seed ${smallest.seed}: ${violations[0]?.invariant} ${commandFor(smallest, store)}`)
  }
  for (const line of found.traces) print(line)
  const violations = found.failures.map((failure) => failure.violations)
  const { recoveriesMs, faults } = found
  const last = { unit: 'histories' as const, number: found.histories, violations, recoveriesMs, faults, seed }
  const passed = printReport(last, (line) => (line.startsWith('{') ? console.log(line) : print(line)))
  return passed && found.histories === histories
}

interface Found {
  histories: number
  failures: Failure[]
  traces: string[]
  recoveriesMs: number[]
  faults: Map<string, number>
}

/** A server of its own, with a database for each process. */
async function onPostgres(options: Options): Promise<Found> {
  const server = await startOwnServer({ synchronous_commit: 'off', max_connections: '300' })
  try {
    const count = options.histories === 1 ? 1 : availableParallelism()
    return await collect(options, await Promise.all(Array.from({ length: count }, () => server.createDatabase())))
  } finally {
    await server.stop()
  }
}

async function collect(options: Options, urls: readonly { appUrl: string; ownerUrl: string }[]): Promise<Found> {
  const { histories, seed, missions, faults, trace, first = false } = options
  const cases: Case[] = Array.from({ length: histories }, (_, n) => ({
    seed: seed + n,
    ...(missions === undefined ? {} : { missions: missions.map(Number) }),
    ...(faults === undefined ? {} : { faults }),
    ...(trace === true ? { trace } : {}),
  }))
  const found: Found = { histories: 0, failures: [], traces: [], recoveriesMs: [], faults: new Map() }
  await runMany(cases, { urls, first }, (share) => {
    add(found, share)
    showProgress(found, share.histories, histories)
  })
  return found
}

function add(found: Found, share: Share): void {
  found.histories += share.histories
  found.failures.push(...share.failures)
  found.traces.push(...share.traces)
  found.recoveriesMs.push(...share.recoveriesMs)
  for (const [kind, count] of share.faults) found.faults.set(kind, (found.faults.get(kind) ?? 0) + count)
}

/** On a terminal at each share, and elsewhere ten times in all. */
function showProgress({ histories, failures }: Found, added: number, all: number): void {
  const tenth = (count: number) => Math.floor((count * 10) / all)
  if (tenth(histories) === tenth(histories - added) && !process.stderr.isTTY) return
  const line = `${histories} of ${all} histories, ${failures.length} failed`
  process.stderr.write(process.stderr.isTTY ? `\r${line}${histories === all ? '\n' : ''}` : `${line}\n`)
}

function whole(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

function atLeastOne(text: string): number {
  const number = whole(text)
  if (number === 0) throw new InvalidArgumentError('No history proves nothing.')
  return number
}

function numbers(text: string): string[] {
  if (/^\d+(,\d+)*$/.test(text)) return list(text)
  throw new InvalidArgumentError('It takes numbers, such as 0,2.')
}

function faultIds(text: string): string[] {
  if (/^(none|(p\d+|n\d+|cut)(,(p\d+|n\d+|cut))*)$/.test(text)) return list(text)
  throw new InvalidArgumentError('It takes ids of faults as a failure prints them, such as p3,n0, or "none".')
}

function list(text: string): string[] {
  return text === 'none' ? [] : text.split(',')
}

await program.parseAsync()
