import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { backupName, dataFile } from '../../src/backup/name.ts'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { fill } from './backup-fill.ts'
import { backupFigures, type Round } from './backup-figures.ts'
import { inOwnProcess, type Outcome } from './backup-jobs.ts'
import { dumpThrough, restoreWithPsql, type Cost } from './backup-peers.ts'
import { migratedDatabase, type BackupDatabase, type BackupServer } from './backup-server.ts'
import type { Figure } from './figures.ts'

const BYTES = 200_000_000
const FULL_BYTES = 1_000_000_000
/** The small database has so much less: memory must be the same. gzip, which takes a minute a GB, runs on it alone. */
const SMALL_PART = 10

interface Bench {
  server: BackupServer
  large: BackupDatabase
  small: BackupDatabase
  folder: string
  connectionString: string
}

/**
 * Our dump, read-back and restore beside pg_dump, zstd, gzip and psql: in turn, each in processes of its own. Ratios are of
 * one repetition each, in which the two that are compared run one after the other, the first one now the one and then the other.
 * @param full with 1 GB of rows, and with a fifth of that otherwise
 */
export async function backup(server: BackupServer, repeat: number, full: boolean): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-bench-backup-'))
  const azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
  try {
    const bytes = full ? FULL_BYTES : BYTES
    const large = await migratedDatabase(server, 'bench_large')
    await fill(large.superUrl, bytes)
    const small = await migratedDatabase(server, 'bench_small')
    await fill(small.superUrl, bytes / SMALL_PART)
    const { connectionString } = azurite
    const rounds: Round[] = []
    for (let n = 0; n < repeat; n++) rounds.push(await round({ server, large, small, folder, connectionString }, n))
    return backupFigures(rounds)
  } finally {
    await azurite.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function round({ server, large, small, folder, connectionString }: Bench, n: number): Promise<Round> {
  const name = backupName(new Date())
  const file = dataFile(name, false)
  const [peerFile, gzipFile] = [join(folder, 'peer.zst'), join(folder, 'peer.gz')]
  const oursFirst = n % 2 === 1
  const dumpOf = (url: string, to: string) => inOwnProcess({ kind: 'dump', url, place: { folder }, file: to })

  const [dump, zstd] = await inTurn(
    oursFirst,
    () => dumpOf(large.appUrl, file),
    () => dumpThrough('zstd -3 -q', large.superUrl, peerFile),
  )
  const peerBytes = (await stat(peerFile)).size
  const smallFile = `small_${file}`
  const [smallDump, gzip] = await inTurn(
    oursFirst,
    () => dumpOf(small.appUrl, smallFile),
    () => dumpThrough('gzip -6', small.superUrl, gzipFile),
  )
  const stored = (url: string, to: string) =>
    inOwnProcess({ kind: 'whole', url, place: { connectionString }, file: to })
  const whole = await stored(large.appUrl, file)
  const smallWhole = await stored(small.appUrl, smallFile)

  const manifest = manifestOf(name, file, dump)
  const readBack = await inOwnProcess({ kind: 'read-back', place: { folder }, manifest })
  const [restored, psql] = await inTurn(
    oursFirst,
    () =>
      inEmpty(server, 'bench_ours', ({ ownerUrl: url }) =>
        inOwnProcess({ kind: 'restore', url, place: { folder }, manifest }),
      ),
    () => inEmpty(server, 'bench_psql', ({ superUrl }) => restoreWithPsql(superUrl, join(folder, file))),
  )
  for (const left of [file, smallFile, peerFile, gzipFile]) await rm(join(folder, left), { force: true })
  return { dump, zstd, peerBytes, smallDump, gzip, whole, smallWhole, readBack, restored, psql }
}

async function inTurn<A, B extends Cost>(
  oursFirst: boolean,
  ours: () => Promise<A>,
  theirs: () => Promise<B>,
): Promise<[A, B]> {
  if (oursFirst) return [await ours(), await theirs()]
  const other = await theirs()
  return [await ours(), other]
}

async function inEmpty<T>(
  server: BackupServer,
  name: string,
  work: (database: BackupDatabase) => Promise<T>,
): Promise<T> {
  const database = await server.database(name)
  try {
    return await work(database)
  } finally {
    await database.drop()
  }
}

function manifestOf(name: string, file: string, { contents, stored }: Outcome) {
  if (contents.drift.length > 0) throw new Error(`The schema has drifted: ${contents.drift.join(', ')}`)
  return {
    format: 1 as const,
    name,
    file,
    contents,
    stored: { ...stored, codec: 'zstd' as const },
    readBackAt: contents.snapshotAt,
    generation: 0,
    version: 'bench',
  }
}
