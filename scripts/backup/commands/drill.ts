import { runDrill } from '../../../src/backup/run-drill.ts'
import { duration } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { showProgress } from '../progress.ts'
import { EXIT } from '../run-words.ts'

/** Restores a backup into a database of its own. Exit code 1 where a check failed. */
export async function drillBackup(context: Context, options: SharedOptions, name: string): Promise<number> {
  const { terminal } = context
  const opened = open(options, context)
  const { name: found } = await findBackup(opened.main, name)
  const progress = showProgress(terminal.streams.stderr, 'Restores')
  const report = await runDrill(opened, found, progress.show).finally(progress.clear)
  if (options.json) terminal.json(report)
  else {
    const lines = report.checks.map(
      ({ name: check, ok, detail }) => `  ${ok ? '✔' : '✗'} ${check}${detail === undefined ? '' : `: ${detail}`}`,
    )
    const verdict = report.ok ? 'can be restored' : 'CAN NOT BE RELIED UPON'
    terminal.print([...lines, `${report.name} ${verdict}. The drill took ${duration(report.durationMs)}.`])
  }
  return report.ok ? EXIT.done : EXIT.failed
}
