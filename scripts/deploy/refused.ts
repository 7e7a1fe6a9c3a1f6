import { TerminalError } from '../../src/domain/errors.ts'

const REFUSED: ReadonlySet<string> = new Set([
  'package_does_not_fit',
  'schema_unknown',
  'uncommitted',
  'other_subscription',
  'other_shape',
  'other_region',
  'package_differs',
  'deployment_locked',
  'version_ambiguous',
  'already_runs',
  'records_unreadable',
  'missions_unreadable',
  'check_failed',
])

/** What these commands refuse since something would be lost: exit code 3. */
export function isRefused(error: unknown): boolean {
  return error instanceof TerminalError && REFUSED.has(error.code)
}
