import { reconcile } from '../../src/backup/restore/reconcile.ts'
import type { Context } from '../backup/context.ts'
import { open } from '../backup/open.ts'
import { EXIT } from '../backup/run-words.ts'
import { confirm } from './confirm.ts'
import type { Options } from './options.ts'
import { openClaims } from './open-claims.ts'
import { reportLines } from './render.ts'
import { targetOf } from './target-of.ts'

/** For a database that was set back by other means: a new generation, and what acts once and is not in the journals. */
export async function reconcileNow(context: Context, options: Options): Promise<number> {
  const { terminal } = context
  const opened = open({ ...options, database: options.into === undefined }, context)
  const { url, connect } = targetOf(options, opened)
  if (options.yes !== true)
    await confirm(terminal, `a new generation of ${new URL(url).pathname.slice(1)} would begin`, options)
  const report = await reconcile({
    url,
    connect,
    waitForLeasesMs: options.wait * 1000,
    effects: openClaims(opened),
    log: (line) => terminal.note(line),
  })
  if (options.json) terminal.json(report)
  else terminal.print(reportLines(report))
  return EXIT.done
}
