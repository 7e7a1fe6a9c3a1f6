import { app } from '@azure/functions'
import { backUp } from '../src/backup/back-up.ts'
import { pruneBackups } from '../src/backup/retention/prune.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['BACKUP_SCHEDULE'] || '0 0 2 * * *'

/**
 * A platform update gives an invocation 10 minutes to end, in which the slowest dump that was measured wrote 29 GB and read
 * them back at 200 MB/s. More than this is not begun.
 */
const LARGEST = 20e9

const nameOf = ({ name: backup }: { name: string }) => backup

app.timer('backup', {
  schedule,
  handler: traced(async () => {
    const { backup } = readyApp()
    const { name, verified } = await backUp(backup, { limitBytes: LARGEST })
    if (!verified) return
    const { main, offsite, retentionDays, telemetry } = backup
    try {
      const { removed, held } = await pruneBackups({ store: main, offsite, retentionDays, justVerified: name })
      telemetry.pruned({ removed: removed.map(nameOf), held: held.map(nameOf) })
    } catch (error) {
      // The backup is made, whatever becomes of the old ones.
      telemetry.pruneFailed(error)
    }
  }),
})
