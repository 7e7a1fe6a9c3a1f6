import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { freePort } from './processes/free-port.ts'

const savedSchema = z.object({
  postgresPort: z.int().optional(),
  blobPort: z.int().optional(),
  queuePort: z.int().optional(),
  ownerPassword: z.string(),
  appPassword: z.string(),
})

/** How the services of a data folder are reached; the same at every start, so that `local.settings.json` stays true. */
export type SavedConnections = z.infer<typeof savedSchema>

const password = () => randomBytes(18).toString('base64url')

/** What the last start used; a port that another program has by now is left out. */
export async function readConnections(dataDir: string): Promise<SavedConnections> {
  const path = file(dataDir)
  const saved = existsSync(path) ? savedSchema.safeParse(readJson(path)).data : undefined
  if (saved === undefined) return { ownerPassword: password(), appPassword: password() }
  return {
    ...saved,
    postgresPort: await stillFree(saved.postgresPort),
    blobPort: await stillFree(saved.blobPort),
    queuePort: await stillFree(saved.queuePort),
  }
}

export function saveConnections(dataDir: string, connections: SavedConnections): void {
  writeFileSync(file(dataDir), `${JSON.stringify(connections, null, 2)}\n`, { mode: 0o600 })
}

function file(dataDir: string): string {
  return join(dataDir, 'connections.json')
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    // Torn by a crash in the middle of writing: new ports and passwords do as well.
    return undefined
  }
}

async function stillFree(port: number | undefined): Promise<number | undefined> {
  if (port === undefined) return undefined
  return freePort(port).catch(() => undefined)
}
