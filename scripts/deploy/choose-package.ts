import { TerminalError } from '../../src/domain/errors.ts'
import { schemaFits, type SchemaRevision } from '../../src/db/schema-revision.ts'
import { runningRecord, type DeploymentRecord } from './records.ts'

/**
 * The deployment whose package to go back to: the newest of version (or commit) `to`, else the newest good one from before the package
 * that runs was there for the first time, so that each time goes further back.
 * @param records the newest first
 * @throws TerminalError `no_such_version`, `no_previous`
 */
export function choosePackage(records: readonly DeploymentRecord[], to?: string): DeploymentRecord {
  const chosen =
    to === undefined
      ? beforeRunning(records).find(isGood)
      : records.find((one) => isGood(one) && (one.version === to || (to.length >= 7 && one.commit.startsWith(to))))
  if (chosen !== undefined) return chosen
  const good = records.filter(isGood).map(({ version, commit }) => `${version} (${commit.slice(0, 12)})`)
  const known = [...new Set(good)].join(', ') || 'none'
  if (to !== undefined)
    throw new TerminalError('no_such_version', `${to} was never deployed here. There are: ${known}.`)
  throw new TerminalError(
    'no_previous',
    'Nothing was deployed before the package that runs, so there is none to go back to.',
    {
      hint: `To another one all the same: --to VERSION or COMMIT. There are: ${known}.`,
    },
  )
}

function isGood({ outcome }: DeploymentRecord): boolean {
  return outcome === 'deployed'
}

/** What is older than the first deployment that left the package running which runs now. */
function beforeRunning(records: readonly DeploymentRecord[]): readonly DeploymentRecord[] {
  const running = runningRecord(records)
  const first = records.findLastIndex(({ runs, package: { sha256 } }) => runs && sha256 === running?.package.sha256)
  return records.slice(first + 1)
}

/** Refuses a package whose code can't run on the schema. @throws TerminalError `package_does_not_fit` */
export function requireFit(record: DeploymentRecord, schema: SchemaRevision): void {
  const fit = schemaFits(schema, record.codeRevision)
  if (fit === 'ok') return
  const why =
    fit === 'code-too-old'
      ? `the schema is at revision ${schema.revision} and works with code of revision ${schema.minCode} and newer`
      : `the schema is at revision ${schema.revision}, which is older than that code needs`
  throw new TerminalError(
    'package_does_not_fit',
    `${record.version} (code revision ${record.codeRevision}) can't run: ${why}. Nothing was changed.`,
    {
      hint:
        fit === 'code-too-old'
          ? 'Go forward with a corrected version (npm run deploy), or take the migration back first as docs/runbooks/migration.md says.'
          : 'Deploy it (npm run deploy) in place of going back to it, which brings the schema along.',
    },
  )
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
