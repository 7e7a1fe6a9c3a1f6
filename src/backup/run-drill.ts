import { withClient } from '../db/migrate/connect.ts'
import { recordUpkeep } from '../db/queries/upkeep.ts'
import { alone } from './alone.ts'
import { openDataKey } from './codec/data-key.ts'
import type { BackupContext } from './context.ts'
import type { BackupName } from './name.ts'
import { drill, type DrillReport } from './restore/drill.ts'
import { readManifest } from './read-manifest.ts'

type OnProgress = (bytesRead: number, bytesTotal: number) => void

/**
 * Restores a backup of the main store into a scratch database and looks at it. What came of it is a row of the upkeep, also where it
 * could not be made. Throws TerminalError, `upkeep_running` where a backup or another drill is under way.
 */
export async function runDrill(
  context: BackupContext,
  name: BackupName,
  onProgress?: OnProgress,
): Promise<DrillReport> {
  const { databaseUrl, connect, newId, telemetry } = context
  const row = { id: newId(), kind: 'drill', backup: name, startedAt: new Date() } as const
  const record = (ok: boolean, report: object) =>
    withClient(databaseUrl, (client) => recordUpkeep(client, { ...row, ok, report }), connect)
  return alone(context, async () => {
    try {
      const report = await make(context, name, onProgress)
      await record(report.ok, report)
      const failed = report.checks.flatMap((check) => (check.ok ? [] : [`${check.name}: ${check.detail ?? ''}`]))
      telemetry.drilled({ ...report, failed })
      return report
    } catch (error) {
      telemetry.drillFailed(error)
      const why = error instanceof Error ? error.message : String(error)
      await record(false, { why }).catch((failure: unknown) => telemetry.drillFailed(failure))
      throw error
    }
  })
}

async function make(
  { databaseUrl, connect, main, keyVault }: BackupContext,
  name: BackupName,
  onProgress: OnProgress | undefined,
): Promise<DrillReport> {
  const manifest = await readManifest(main, name)
  const { encryption } = manifest.stored
  return drill({
    manifest,
    chunks: main.read(manifest.file),
    ...(encryption === undefined ? {} : { dataKey: await openDataKey(encryption, keyVault) }),
    adminUrl: databaseUrl,
    connect,
    ...(onProgress === undefined ? {} : { onProgress }),
  })
}
