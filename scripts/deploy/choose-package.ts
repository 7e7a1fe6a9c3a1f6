import { TerminalError } from '../../src/domain/errors.ts'
import { schemaFits, type SchemaRevision } from '../../src/db/schema-revision.ts'
import { runningRecord, type DeploymentRecord } from './records.ts'

/**
 * The deployment whose package to go back to: the newest of version (or commit) `to`, else the newest before the one that runs
 * with another package.
 * @throws TerminalError `no_such_version`, `no_previous`
 */
export function choosePackage(records: readonly DeploymentRecord[], to?: string): DeploymentRecord {
  const good = records.filter(({ outcome }) => outcome === 'deployed')
  const running = runningRecord(records)
  const chosen = good.find(
    to === undefined
      ? ({ package: { sha256 } }) => sha256 !== running?.package.sha256
      : ({ version, commit }) => version === to || (to.length >= 7 && commit.startsWith(to)),
  )
  if (chosen !== undefined) return chosen
  if (to === undefined)
    throw new TerminalError('no_previous', 'No other package was ever deployed here, so there is none to go back to.')
  const known = [...new Set(good.map(({ version }) => version))].join(', ') || 'none'
  throw new TerminalError('no_such_version', `${to} was never deployed here. There are: ${known}.`)
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
