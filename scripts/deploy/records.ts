import { readdir, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { fetchRecords, storeRecord } from './commands/blobs.ts'
import type { Environment } from './environments.ts'
import { inFolder } from './in-folder.ts'
import { hasChanges } from './package/package-blob.ts'
import { parseJson } from './parse-json.ts'
import type { RunCommand } from './run-command.ts'
import type { Target } from './target.ts'

/** One deployment, as it is kept beside the packages. */
export const recordSchema = z.object({
  environment: z.string(),
  kind: z.enum(['deploy', 'rollback']),
  outcome: z.enum(['deployed', 'failed']),
  version: z.string(),
  commit: z.string(),
  /** Of the package's code: which schemas it can run on. */
  codeRevision: z.int(),
  /** That the running app answers; records from before packages had one lack it. */
  build: z.string().optional(),
  schema: z.object({ revision: z.int(), minCode: z.int() }).nullable(),
  package: z.object({ blob: z.string(), sha256: z.string(), bytes: z.int() }),
  who: z.string(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime(),
  /** Whether the package was left running; what went back by itself was not. */
  runs: z.boolean(),
  /** Why it failed, or why it was rolled back. */
  reason: z.string().optional(),
})

export type DeploymentRecord = z.infer<typeof recordSchema>

export interface History {
  /** The newest first. */
  records: DeploymentRecord[]
  /** Names of what lies there and is no record that this version knows. */
  unreadable: string[]
}

/** All records of an environment. */
export async function readHistory(run: RunCommand, target: Target, environment: Environment): Promise<History> {
  return inFolder(join(tmpdir(), 'taskforce-records-'), async (folder) => {
    await run(fetchRecords(target, environment, folder))
    const names = await readdir(folder, { recursive: true })
    const read = names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => ({ name, record: parseRecord(await readFile(join(folder, name), 'utf8')) }))
    const all = await Promise.all(read)
    return {
      records: all.flatMap(({ record }) => record ?? []).sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1)),
      unreadable: all.flatMap(({ name, record }) => (record === undefined ? [name] : [])).sort(),
    }
  })
}

function parseRecord(text: string): DeploymentRecord | undefined {
  return recordSchema.safeParse(parseJson(text)).data
}

/** Clocks differ a little from one machine to the next. */
const AHEAD_MS = 300_000

/** What people have to know of a history before they rely on it, one a line. */
export function worriesOf({ records, unreadable }: History, now: Date): string[] {
  const ahead = records.filter(({ startedAt }) => Date.parse(startedAt) > now.getTime() + AHEAD_MS)
  return [
    ...unreadable.map((name) => `${name} is no record that can be read: it is damaged, or of another version.`),
    ...ahead.map(
      (record) =>
        `${recordBlob(record)} was begun in the future, at ${record.startedAt}: a clock is wrong, there or here. The order is right all the same.`,
    ),
  ]
}

/** When a deployment begins, as it is recorded: after all others, whatever the clocks of the machines say, so that order holds. */
export function startAfter(now: string, records: readonly { startedAt: string }[]): string {
  const newest = Math.max(...records.map(({ startedAt }) => Date.parse(startedAt) + 1_000), Date.parse(now))
  return new Date(newest).toISOString()
}

/** Of those that can't be read: what is, or may be, newer than a record. */
export function unreadableAfter({ unreadable }: History, { startedAt }: DeploymentRecord): string[] {
  const time = compactTime(startedAt)
  return unreadable.filter((name) => {
    const [itsTime] = /\d{8}T\d{6}Z(?=-)/.exec(name) ?? []
    return itsTime === undefined || itsTime > time
  })
}

/** Whether its package passed the smoke test here. */
export function isTested({ outcome }: DeploymentRecord): boolean {
  return outcome === 'deployed'
}

/** What runs now, tested or not. */
export function runningRecord(records: readonly DeploymentRecord[]): DeploymentRecord | undefined {
  return records.find(({ runs }) => runs)
}

/** Stores a record under the time of its beginning, in place of an earlier one of the same deployment. */
export async function writeRecord(run: RunCommand, target: Target, record: DeploymentRecord): Promise<void> {
  await inFolder(join(tmpdir(), 'taskforce-record-'), async (folder) => {
    const file = join(folder, 'record.json')
    await writeFile(file, JSON.stringify(record, null, 2))
    await run(storeRecord(target, recordBlob(record), file))
  })
}

/** How people are told of a package. */
export function nameOf({ version, commit }: DeploymentRecord): string {
  return `${version} (${commit.slice(0, 12)})`
}

/** What `--to` takes for it: the commit, or where that does not say what is in the package, its SHA-256. */
export function wordOfPackage({ commit, package: { blob, sha256 } }: DeploymentRecord): string {
  return (hasChanges(blob) ? sha256 : commit).slice(0, 12)
}

export function recordBlob({ environment, startedAt, version, commit }: DeploymentRecord): string {
  return `${environment}/${compactTime(startedAt)}-${version}-${commit.slice(0, 12)}.json`
}

function compactTime(time: string): string {
  return time.replaceAll(/[-:]|\.\d+/g, '')
}
