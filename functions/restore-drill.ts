import { app } from '@azure/functions'
import { newestVerified } from '../src/backup/known-backup.ts'
import { listBackups } from '../src/backup/retention/list-backups.ts'
import { runDrill } from '../src/backup/run-drill.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['DRILL_SCHEDULE'] || '0 0 4 * * 0'

if (isRole('app')) {
  app.timer('restore-drill', {
    schedule,
    handler: traced(async () => {
      const { backup } = readyApp()
      const newest = newestVerified(await listBackups(backup.main))
      // What is missing then is the backup, and readiness says so.
      if (newest !== undefined) await runDrill(backup, newest.name)
    }),
  })
}
