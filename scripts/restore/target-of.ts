import type { ConnectOptions } from '../../src/db/migrate/connect.ts'
import type { Opened } from '../backup/open.ts'
import type { Options } from './options.ts'

/** What is restored into, and how to sign in there: an address with a password in it needs nothing else. */
export function targetOf(
  { into }: Options,
  { databaseUrl, connect }: Opened,
): { url: string; connect: ConnectOptions } {
  if (into === undefined) return { url: databaseUrl, connect }
  return { url: into, connect: (URL.parse(into)?.password ?? '') === '' ? connect : {} }
}
