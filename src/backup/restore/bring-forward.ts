import { escapeIdentifier, type Client } from 'pg'
import type { Session } from '../../db/migrate/lock.ts'
import { migrateUp } from '../../db/migrate/up.ts'
import { clearDrain } from '../../db/queries/drain.ts'
import { driftOf } from '../dump/drift.ts'
import type { Stopped } from './stop-first.ts'
import { tablesOf } from './target.ts'

/** The half after the commit: to this build's schema; then the deployment works again. Throws what `migrateUp` throws. */
export async function bringForward(
  { client, url, connect, log }: Session,
  stop: Stopped,
  onStage: (stage: 'migrate' | 'analyze') => void,
): Promise<{ revision: number; drift: string[] }> {
  onStage('migrate')
  const { revision } = await migrateUp(url, { connect, log })
  onStage('analyze')
  // A backup's own settings are still the session's.
  await client.query('reset all')
  await analyze(client)
  const drift = await readDrift(client, revision)
  if (!stop.others) await clearDrain(client)
  return { revision, drift }
}

async function analyze(client: Client): Promise<void> {
  const tables = (await tablesOf(client)).map((name) => `taskforce.${escapeIdentifier(name)}`)
  if (tables.length > 0) await client.query(`analyze ${tables.join(', ')}`)
}

async function readDrift(client: Client, revision: number): Promise<string[]> {
  await client.query(`begin isolation level repeatable read read only; set local search_path = ''`)
  try {
    return await driftOf(client, revision)
  } finally {
    await client.query('rollback')
  }
}
