import { basename } from 'node:path/posix'
import { TerminalError } from '../../src/domain/errors.ts'
import type { SchemaRevision } from '../../src/db/schema-revision.ts'
import { isRunning, type Running } from './find-running.ts'
import { isTested, unreadableAfter, type DeploymentRecord, type History } from './records.ts'

/** Digits that name a commit or package. */
const SHORTEST = 7

/**
 * The deployment whose package to go back to: what `to` names, by version, commit, or SHA-256 or file name of the package, and does not
 * run; else the newest good one from before the package that runs was there for the first time, so that each time goes further back.
 * @throws TerminalError `no_such_version`, `version_ambiguous`, `already_runs`, `no_previous`, `records_unreadable`
 */
export function choosePackage(history: History, running: Running, to?: string): DeploymentRecord {
  const { records } = history
  if (to !== undefined) return chooseNamed(records, running, to)
  const chosen = beforeRunning(records, running).find((one) => isTested(one) && !isRunning(one, running))
  if (chosen === undefined)
    throw new TerminalError(
      'no_previous',
      'Nothing was deployed before the package that runs, so there is none to go back to.',
      {
        hint: `To another one all the same: --to VERSION or COMMIT. There are: ${namesOf(records.filter(isTested))}.`,
      },
    )
  const unknown = unreadableAfter(history, chosen)
  if (unknown.length === 0) return chosen
  throw new TerminalError(
    'records_unreadable',
    `It would be ${namesOf([chosen])}, but newer records can't be read: ${unknown.join(', ')}. Nothing was changed.`,
    { hint: `Say which: --to VERSION or COMMIT. There are: ${namesOf(records.filter(isTested))}.` },
  )
}

function chooseNamed(records: readonly DeploymentRecord[], running: Running, to: string): DeploymentRecord {
  const good = records.filter(isTested)
  const named = good.filter((one) => isNamed(one, to))
  const others = newestOfEach(named.filter((one) => !isRunning(one, running)))
  const [chosen] = others
  if (chosen === undefined && named.length > 0)
    throw new TerminalError('already_runs', `${to} is what runs. Nothing was changed.`, {
      hint: 'To publish it once more: check its commit out, then npm run deploy.',
    })
  if (chosen === undefined)
    throw new TerminalError('no_such_version', `${to} was never deployed here. There are: ${namesOf(good)}.`)
  if (others.length === 1) return chosen
  const isShared = sharesCommit(chosen, others)
  const word = (isShared ? chosen.package.sha256 : chosen.commit).slice(0, 12)
  throw new TerminalError(
    'version_ambiguous',
    `Several packages are of ${to}: ${namesOf(others)}. Nothing was changed.`,
    { hint: `Say which by its ${isShared ? 'package' : 'commit'}, the newest is: --to ${word}` },
  )
}

function isNamed({ version, commit, package: { blob, sha256 } }: DeploymentRecord, to: string): boolean {
  if (version === to || basename(blob) === to) return true
  return to.length >= SHORTEST && (commit.startsWith(to) || sha256.startsWith(to))
}

/** Each package once, by its newest record. */
function newestOfEach(records: readonly DeploymentRecord[]): DeploymentRecord[] {
  const hashes = records.map(({ package: { sha256 } }) => sha256)
  return records.filter(({ package: { sha256 } }, at) => hashes.indexOf(sha256) === at)
}

/** As packages of sources with changes do, which dev may have. */
function sharesCommit({ commit, package: { sha256 } }: DeploymentRecord, all: readonly DeploymentRecord[]): boolean {
  return all.some((other) => other.commit === commit && other.package.sha256 !== sha256)
}

/** With what tells one from the others: the commit, or where that does not, the package and when it was deployed. */
function namesOf(records: readonly DeploymentRecord[]): string {
  const names = newestOfEach(records).map((one) => {
    const { version, commit, startedAt, package: made } = one
    const rest = sharesCommit(one, records) ? `, package ${made.sha256.slice(0, 12)} of ${startedAt}` : ''
    return `${version} (${commit.slice(0, 12)}${rest})`
  })
  return names.join(', ') || 'none'
}

/** What is older than the first deployment that left the package running which runs now; all, where none tells of it. */
function beforeRunning(records: readonly DeploymentRecord[], running: Running): readonly DeploymentRecord[] {
  const first = records.findLastIndex((one) => isRunning(one, running) && (one.runs || one === running))
  return records.slice(first + 1)
}

/**
 * The schema as it was when somebody last saw it, for where the migrator can't be asked.
 * @throws TerminalError `schema_unknown`
 */
export function recordedSchema(records: readonly DeploymentRecord[]): SchemaRevision & { at: string } {
  for (const { schema, endedAt } of records) if (schema !== null) return { ...schema, at: endedAt }
  throw new TerminalError('schema_unknown', 'No deployment has recorded which schema the database has.', {
    hint: 'Repair the migrator, and go back with it.',
  })
}
