import type { Outcome } from './backup-jobs.ts'
import type { Cost } from './backup-peers.ts'
import { median, type Figure } from './figures.ts'

/** One repetition. */
export interface Round {
  /** Into a file, the first of the database and the second of a tenth of it, beside what ran next to each. */
  dump: Outcome
  zstd: Cost
  peerBytes: number
  smallDump: Outcome
  gzip: Cost
  /** Dumped, uploaded and read back. */
  whole: Outcome
  smallWhole: Outcome
  /** From the file. */
  readBack: Outcome
  restored: Outcome
  psql: Cost
}

/** Rates are MB/s of rows as COPY writes them, and so are the gigabytes. */
export function backupFigures(rounds: readonly Round[]): Figure[] {
  const base = { bench: 'backup', n: rounds.length }
  const alone = (figure: string, unit: string, value: (round: Round) => number): Figure => {
    return { ...base, figure, value: median(rounds.map(value)), unit }
  }
  const beside = (
    [figure, unit, baselineName]: [string, string, string],
    value: (round: Round) => number,
    baseline: (round: Round) => number,
  ): Figure => {
    const ratio = median(rounds.map((round) => value(round) / baseline(round)))
    return { ...alone(figure, unit, value), baselineName, baseline: median(rounds.map(baseline)), ratio }
  }
  const restored = ({ committed }: Outcome) => committed?.seconds ?? NaN
  return [
    beside(
      ['backup.rate.zstd', 'MB/s', 'pg_dump | zstd -3'],
      ({ dump }) => megabytes(dump) / dump.spent.seconds,
      ({ dump, zstd }) => megabytes(dump) / zstd.seconds,
    ),
    beside(
      ['backup.rate.gzip', 'MB/s', 'pg_dump | gzip -6'],
      ({ smallDump }) => megabytes(smallDump) / smallDump.spent.seconds,
      ({ smallDump, gzip }) => megabytes(smallDump) / gzip.seconds,
    ),
    beside(
      ['backup.size', 'bytes', 'pg_dump | zstd -3'],
      ({ dump }) => dump.stored.bytes,
      ({ peerBytes }) => peerBytes,
    ),
    alone('backup.compression', 'rows over stored', ({ dump }) => (megabytes(dump) * 1e6) / dump.stored.bytes),
    alone('backup.cpu', 's/GB', ({ whole }) => perGigabyte(whole.spent.cpuSeconds, whole)),
    beside(
      ['backup.cpu.file', 's/GB', 'pg_dump | zstd -3'],
      ({ dump }) => perGigabyte(dump.spent.cpuSeconds, dump),
      ({ dump, zstd }) => perGigabyte(zstd.cpuSeconds, dump),
    ),
    alone('backup.rate.upload', 'MB/s', ({ whole }) => megabytes(whole) / whole.spent.seconds),
    alone('backup.rss', 'MB', ({ whole }) => whole.peakMb),
    beside(
      ['backup.flat', 'MB', 'tenth'],
      ({ whole }) => whole.peakMb,
      ({ smallWhole }) => smallWhole.peakMb,
    ),
    alone('backup.readback', 's/GB', ({ readBack }) => perGigabyte(readBack.spent.seconds, readBack)),
    alone('backup.readback.cpu', 's/GB', ({ readBack }) => perGigabyte(readBack.spent.cpuSeconds, readBack)),
    alone('backup.readback.upload', 's/GB', ({ whole }) => perGigabyte(whole.readBack?.seconds ?? NaN, whole)),
    beside(
      ['restore.rate', 'MB/s', 'zstd | psql'],
      ({ restored: run }) => megabytes(run) / restored(run),
      ({ restored: run, psql }) => megabytes(run) / psql.seconds,
    ),
    beside(
      ['restore.rate.whole', 'MB/s', 'zstd | psql'],
      ({ restored: run }) => megabytes(run) / run.spent.seconds,
      ({ restored: run, psql }) => megabytes(run) / psql.seconds,
    ),
    beside(
      ['restore.cpu', 's/GB', 'zstd | psql'],
      ({ restored: run }) => perGigabyte(run.spent.cpuSeconds, run),
      ({ restored: run, psql }) => perGigabyte(psql.cpuSeconds, run),
    ),
    alone('restore.rss', 'MB', ({ restored: run }) => run.peakMb),
  ]
}

function megabytes({ contents }: Outcome): number {
  return contents.tables.reduce((sum, { bytes }) => sum + bytes, 0) / 1e6
}

function perGigabyte(seconds: number, outcome: Outcome): number {
  return (seconds * 1000) / megabytes(outcome)
}
