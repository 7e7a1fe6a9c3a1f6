import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { insertEvents, insertMissions } from '../backup/missions-rows.ts'
import { createTestDatabase } from '../support/postgres.ts'

const run = promisify(execFile)
const EVENT_BYTES = 2_000

describe('the memory of a dump and of its verification', () => {
  it('is the same for 60 MB and for 240 MB', { timeout: 300_000 }, async () => {
    const small = await peak(30_000)
    const large = await peak(120_000)
    expect(small.bytes).toBeGreaterThan(60_000_000)
    expect(large.bytes).toBeGreaterThan(240_000_000)
    expect(large.peakMb).toBeLessThan(256)
    expect(large.peakMb).toBeLessThan(small.peakMb * 1.2)
  })
})

/** In a process of its own, whose peak is not that of the test. */
async function peak(events: number): Promise<{ bytes: number; peakMb: number }> {
  const database = await createTestDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-memory-'))
  try {
    const [mission = ''] = await insertMissions(database.ownerUrl, 1)
    await insertEvents(database.ownerUrl, mission, events, EVENT_BYTES)
    const script = join(import.meta.dirname, 'backup-memory-process.ts')
    const { stdout } = await run(process.execPath, [script, database.appUrl, join(folder, 'plain.sql')])
    return JSON.parse(stdout) as { bytes: number; peakMb: number }
  } finally {
    await rm(folder, { recursive: true, force: true })
    await database.drop()
  }
}
