import { isRunning } from './find-running.ts'
import type { Progress } from './progress.ts'
import { isTested, unreadableAfter, type DeploymentRecord } from './records.ts'

/** Where a deployment that failed goes back to by itself, or why nowhere. */
export type Return =
  | { to: DeploymentRecord }
  /** The package of this deployment is the best there is. */
  | { same: DeploymentRecord }
  /** A person has to say which: `newest` is but the newest of those that could be read. */
  | { newest: DeploymentRecord; unreadable: string[] }
  | { none: true }

/**
 * The package that ran when the deployment began, where it was ever tested here, for that is what a person chose; else the newest that
 * was. Where records that may be newer can't be read, only what the app itself has answered is certain enough to be done unasked.
 */
export function chooseReturn({ history, before, made }: Pick<Progress, 'history' | 'before' | 'made'>): Return {
  const good = (history?.records ?? []).filter(isTested)
  const ofRunning = good.find((one) => isRunning(one, before?.running))
  const chosen = ofRunning ?? good[0]
  if (chosen === undefined) return { none: true }
  if (chosen.package.sha256 === made?.sha256) return { same: chosen }
  const isCertain = ofRunning !== undefined && before?.isAnswered === true
  const unreadable = isCertain || history === undefined ? [] : unreadableAfter(history, chosen)
  return unreadable.length === 0 ? { to: chosen } : { newest: chosen, unreadable }
}
