import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { fetchRecords, storeRecord } from './commands/blobs.ts'
import type { Environment } from './environments.ts'
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

/** All records of an environment, the newest first; what is no record is left out. */
export async function readRecords(
  run: RunCommand,
  target: Target,
  environment: Environment,
): Promise<DeploymentRecord[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-records-'))
  try {
    await run(fetchRecords(target, environment, folder))
    const names = await readdir(folder, { recursive: true })
    const texts = names.filter((name) => name.endsWith('.json')).map((name) => readFile(join(folder, name), 'utf8'))
    const records = (await Promise.all(texts)).flatMap(parseRecord)
    return records.sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function parseRecord(text: string): DeploymentRecord[] {
  try {
    return [recordSchema.parse(JSON.parse(text))]
  } catch {
    return []
  }
}

/** The newest that was tested and runs, or ran before one that failed. */
export function lastGood(records: readonly DeploymentRecord[]): DeploymentRecord | undefined {
  return records.find(({ outcome }) => outcome === 'deployed')
}

/** What runs now, tested or not. */
export function runningRecord(records: readonly DeploymentRecord[]): DeploymentRecord | undefined {
  return records.find(({ runs }) => runs)
}

/** Stores a record under the time of its beginning, in place of an earlier one of the same deployment. */
export async function writeRecord(run: RunCommand, target: Target, record: DeploymentRecord): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-record-'))
  try {
    const file = join(folder, 'record.json')
    await writeFile(file, JSON.stringify(record, null, 2))
    await run(storeRecord(target, recordBlob(record), file))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export function recordBlob({ environment, startedAt, version, commit }: DeploymentRecord): string {
  const time = startedAt.replaceAll(/[-:]|\.\d+/g, '')
  return `${environment}/${time}-${version}-${commit.slice(0, 12)}.json`
}
