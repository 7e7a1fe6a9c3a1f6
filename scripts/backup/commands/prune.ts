import type { StorePruned } from '../../../src/backup/retention/prune.ts'
import { runPrune } from '../../../src/backup/run-prune.ts'
import type { Context, SharedOptions } from '../context.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

interface Options extends SharedOptions {
  dryRun?: boolean
}

/** Removes backups that are kept no longer. */
export async function prune(context: Context, options: Options): Promise<number> {
  const { terminal } = context
  const dryRun = options.dryRun === true
  const opened = open({ ...options, database: !dryRun }, context)
  const report = await runPrune(opened, { justVerified: undefined, byHand: true, dryRun })
  const { offsite: copies } = report
  if (options.json) terminal.json(report)
  else {
    terminal.print(toLines(report))
    if (copies !== undefined) terminal.print('error' in copies ? [`${copies.place}: ${copies.error}`] : toLines(copies))
  }
  return copies !== undefined && 'error' in copies ? EXIT.failed : EXIT.done
}

function toLines({ place, removed, wouldRemove, held, kept }: StorePruned): string[] {
  return [
    place,
    ...removed.map(({ name, why }) => `  removed       ${name}: ${why}`),
    ...wouldRemove.map(({ name, why }) => `  would remove  ${name}: ${why}`),
    ...held.map(({ name, why }) => `  held          ${name}: ${why}`),
    ...Object.entries(kept).map(([why, number]) => `  kept          ${number}: ${why}`),
  ]
}
