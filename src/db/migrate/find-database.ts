import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { TerminalError } from '../../domain/errors.ts'
import { entraPassword } from '../entra-password.ts'
import type { ConnectOptions } from './connect.ts'

const runFileSchema = z.looseObject({ databaseUrl: z.string() })

export interface Database {
  url: string
  connect: ConnectOptions
}

/**
 * Which database to migrate: DATABASE_DIRECT_URL, else DATABASE_URL, both with a token where DATABASE_AUTH is "entra"; else the
 * local environment that `DATA/run.json` names. Throws TerminalError `database_unknown` where there is none, `database_pooled` where it is behind a pooler.
 */
export async function findDatabase(env: NodeJS.ProcessEnv, dataDir: string): Promise<Database> {
  const connect: ConnectOptions = env.DATABASE_AUTH === 'entra' ? { password: entraPassword } : {}
  if (env.DATABASE_DIRECT_URL) return { url: env.DATABASE_DIRECT_URL, connect }
  if (env.DATABASE_URL) {
    // Between two statements a transaction pooler may change the session, and with it the role and the lock.
    if (env.DATABASE_POOLER !== 'transaction') return { url: env.DATABASE_URL, connect }
    throw new TerminalError(
      'database_pooled',
      'DATABASE_URL goes through a pooler (DATABASE_POOLER=transaction), and migrations need a connection of their own: set DATABASE_DIRECT_URL to the address of Postgres itself.',
    )
  }
  return { url: await readRunFile(join(dataDir, 'run.json')), connect: {} }
}

async function readRunFile(file: string): Promise<string> {
  try {
    return runFileSchema.parse(JSON.parse(await readFile(file, 'utf8'))).databaseUrl
  } catch (cause) {
    throw new TerminalError(
      'database_unknown',
      `No database is named: set DATABASE_URL, or start the local environment with npm start, which names its own in ${file}.`,
      { cause },
    )
  }
}
