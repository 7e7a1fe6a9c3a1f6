import { chooseReturn } from './choose-return.ts'
import type { Standing } from './migrator.ts'
import type { Package } from './package/build-package.ts'
import type { Progress } from './progress.ts'

/**
 * The oldest code revision that the schema has to go on working with until the new package was tested: of what runs meanwhile, and of
 * what a failure goes back to, as far as these work with it now. Where nothing tells what runs, it may be the oldest code that works with
 * the schema as it is.
 */
export function oldestInUse(progress: Progress, made: Package, { revision, minCode }: Standing): number {
  // An empty database has no code that works with it.
  if (revision === 0) return made.codeRevision
  const running = progress.before?.running
  const chosen = chooseReturn(progress)
  const back = 'to' in chosen ? [chosen.to.codeRevision] : []
  const oldest = Math.min(typeof running === 'object' ? running.codeRevision : minCode, ...back)
  return Math.max(oldest, minCode)
}
