import { app } from '@azure/functions'
import { backUpAndPrune } from '../src/backup/back-up-and-prune.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['BACKUP_SCHEDULE'] || '0 0 2 * * *'

/**
 * A platform update gives an invocation 10 minutes to end, in which the slowest dump that was measured wrote 29 GB and read
 * them back at 200 MB/s. More than this is not begun.
 */
const LARGEST = 20e9

if (isRole('app')) {
  app.timer('backup', {
    schedule,
    handler: traced(async () => void (await backUpAndPrune(readyApp().backup, { limitBytes: LARGEST }))),
  })
}
