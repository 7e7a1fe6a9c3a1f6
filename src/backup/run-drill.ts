import { withClient } from '../db/migrate/connect.ts'
import { recordUpkeep } from '../db/queries/upkeep.ts'
import { tryUpkeepLock } from '../db/queries/upkeep-lock.ts'
import { signedUrl } from '../db/signed-url.ts'
import { upkeepRunning } from './back-up.ts'
import { openDataKey } from './codec/data-key.ts'
import type { BackupContext } from './context.ts'
import { readManifest } from './verify-backup.ts'
import type { BackupName } from './name.ts'
import { drill, type DrillReport } from './restore/drill.ts'

/**
 * Restores a backup of the main store into a scratch database and looks at it. What came of it is a row of the upkeep, also where it
 * could not be made. Throws TerminalError, `upkeep_running` where a backup or another drill is under way.
 */
export async function runDrill(
  context: BackupContext,
  name: BackupName,
  onProgress?: (bytesRead: number, bytesTotal: number) => void,
): Promise<DrillReport> {
  const { databaseUrl, connect, main, newId, telemetry } = context
  return withClient(
    databaseUrl,
    async (client) => {
      if (!(await tryUpkeepLock(client))) throw upkeepRunning()
      const row = { id: newId(), kind: 'drill', backup: name, startedAt: new Date() } as const
      try {
        const manifest = await readManifest(main, name)
        const { encryption } = manifest.stored
        const report = await drill({
          manifest,
          chunks: main.read(manifest.file),
          ...(encryption === undefined ? {} : { dataKey: await openDataKey(encryption) }),
          adminUrl: await signedUrl(databaseUrl, connect),
          ...(onProgress === undefined ? {} : { onProgress }),
        })
        await recordUpkeep(client, { ...row, ok: report.ok, report })
        const failed = report.checks.flatMap((check) => (check.ok ? [] : [`${check.name}: ${check.detail ?? ''}`]))
        telemetry.drilled({ ...report, failed })
        return report
      } catch (error) {
        telemetry.drillFailed(error)
        const why = error instanceof Error ? error.message : String(error)
        await recordUpkeep(client, { ...row, ok: false, report: { why } }).catch(() => undefined)
        throw error
      }
    },
    { ...connect, name: 'taskforce-backup' },
  )
}
