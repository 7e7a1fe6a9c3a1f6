import { planRestore } from '../../src/backup/restore/plan-restore.ts'
import { runRestore } from '../../src/backup/restore/run-restore.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Context } from '../backup/context.ts'
import { open } from '../backup/open.ts'
import { showProgress } from '../backup/progress.ts'
import { EXIT } from '../backup/run-words.ts'
import { confirm } from './confirm.ts'
import { targetOf } from './target-of.ts'
import { findSource } from './find-source.ts'
import type { Options } from './options.ts'
import { openClaims } from './open-claims.ts'
import { planLines, reportLines } from './render.ts'

/** Shows what it will do, asks, restores, and tells what to do next. */
export async function restoreNow(context: Context, options: Options, what: string | undefined): Promise<number> {
  const { terminal, cwd } = context
  const opened = open({ ...options, database: options.into === undefined }, context)
  const { url, connect } = targetOf(options, opened)
  const source = await findSource(opened.main, { what, at: options.at, cwd })
  const plan = await planRestore({ manifest: source.manifest, url, connect })
  if (!options.json) terminal.print(planLines(plan))
  // Where nothing is replaced, nothing can be lost.
  if (!plan.isEmpty && options.replace === true && options.yes !== true)
    await confirm(terminal, `what is in ${plan.into} would be moved out of the way`, options)
  const progress = showProgress(terminal.streams.stderr, 'Restores')
  const { report, notRecorded } = await runRestore({
    newId: opened.newId,
    manifest: source.manifest,
    chunks: source.chunks(),
    ...(source.dataKey === undefined ? {} : { dataKey: source.dataKey }),
    url,
    connect,
    replace: options.replace === true,
    waitForLeasesMs: options.wait * 1000,
    effects: openClaims(opened),
    log: (line) => terminal.note(line),
    onProgress: progress.show,
  }).finally(progress.clear)
  if (options.json) terminal.json(report)
  else terminal.print(reportLines(report))
  if (notRecorded !== undefined) terminal.error(`It is restored, but has no row in taskforce.upkeep: ${notRecorded}`)
  if (report.missing.length > 0) throw dataMissing(report.missing)
  if (report.drift.length === 0) return EXIT.done
  throw new TerminalError(
    'schema_drift',
    `It is restored, and its schema (+) is not what its revision makes (-): ${report.drift.join('; ')}.`,
  )
}

function dataMissing(missing: readonly string[]): TerminalError {
  return new TerminalError(
    'data_missing',
    `It is restored, and not all data of its database was in the backup: ${missing.join('; ')}.`,
    {
      hint: 'It is where it was: in the schema taskforce_before_TIME if that was replaced, or on the server that was backed up.',
    },
  )
}
