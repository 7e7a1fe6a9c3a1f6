import { join } from 'node:path'
import { backUp } from '../../../src/backup/back-up.ts'
import { dataFile } from '../../../src/backup/name.ts'
import { count, duration, size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { open } from '../open.ts'
import { showProgress } from '../progress.ts'
import { EXIT } from '../run-words.ts'

/** Makes a backup. Exit code 1 where it is unverified or was not copied. */
export async function backUpNow(context: Context, options: SharedOptions): Promise<number> {
  const { terminal } = context
  const opened = open(options, context)
  const progress = showProgress(terminal.streams.stderr, 'Dumps')
  const report = await backUp(opened, { onProgress: progress.show }).finally(progress.clear)
  const { name, missing, drift, offsite, verified } = report
  const file = dataFile(name, opened.keyUrl !== undefined)
  const path = opened.folder === undefined ? undefined : join(opened.folder, file)
  if (options.json) terminal.json({ ...report, ...(path === undefined ? {} : { path }) })
  else {
    terminal.print([
      ...missing.map((line) => `NOT ALL DATA IS IN IT: ${line}`),
      `${name}  ${size(report.bytes)}, ${count(report.rows)} rows, ${duration(report.durationMs)}`,
      `in ${path ?? opened.main.place}, read back and found to be what was dumped`,
      ...drift.map((line) => `  ${line}`),
      ...(drift.length === 0
        ? []
        : [
            `UNVERIFIED: the schema (+) is not what its revision makes (-).${missing.length === 0 ? ' The data is there.' : ''}`,
          ]),
      ...(offsite === undefined
        ? []
        : [offsite.ok ? `copied to ${opened.offsite?.place}` : `NOT COPIED: ${offsite.why}`]),
    ])
  }
  return verified && offsite?.ok !== false ? EXIT.done : EXIT.failed
}
