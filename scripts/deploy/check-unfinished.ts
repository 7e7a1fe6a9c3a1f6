import { TerminalError } from '../../src/domain/errors.ts'
import type { AskMigrator, Standing } from './migrator.ts'
import type { Session } from './session.ts'

/** More of them say nothing new. */
const SHOWN = 20

/**
 * Has the migrator read every unfinished mission with the new package's code, before anything is migrated for it. A mission that it
 * can't read would stand still under it. @throws TerminalError `missions_unreadable`
 */
export async function checkUnfinished(
  { options, log }: Session,
  migrator: AskMigrator,
  before: Standing,
): Promise<void> {
  if (options.skipCheck === true) return log.say('  left out, as --skip-check says')
  if (before.revision === 0) return log.say('  the database is empty')
  const unreadable: { id: string; why: string }[] = []
  let checked = 0
  let after: string | undefined
  do {
    const { check } = await migrator({ action: 'check', ...(after === undefined ? {} : { after }) })
    if (check === undefined) throw new TerminalError('check_unknown', 'The migrator does not say what it has checked.')
    checked += check.checked
    unreadable.push(...check.unreadable)
    after = check.next
  } while (after !== undefined)
  if (unreadable.length === 0) return log.say(`  ${checked} unfinished missions, and the new package reads them all`)
  const shown = unreadable.slice(0, SHOWN).map(({ id, why }) => `  ${id}: ${why}`)
  const rest = unreadable.length > SHOWN ? [`  and ${unreadable.length - SHOWN} more`] : []
  throw new TerminalError(
    'missions_unreadable',
    [`The new package can't read ${unreadable.length} of ${checked} unfinished missions:`, ...shown, ...rest].join(
      '\n',
    ),
    {
      hint: 'Correct it so that it reads them, or let them end first. With --skip-check they stand still until a package comes that does.',
    },
  )
}
