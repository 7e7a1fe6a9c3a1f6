import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { DumpContents, Manifest } from '../../src/backup/manifest.ts'
import type { Cost } from './backup-peers.ts'

const SCRIPT = fileURLToPath(new URL('./backup-process.ts', import.meta.url))

/**
 * As `npm run backup` and `npm run restore` have it. Buffers lie outside of the heap, and only a collection frees them; with the
 * default of 16 MB for what is young, V8 marks the whole heap all the time instead.
 */
const FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=1']

export type Place = { folder: string } | { connectionString: string }
export type Spent = Cost

/** `whole`: dumped, stored and read back in one process, as a backup is made. */
export type Job =
  | { kind: 'dump' | 'whole'; url: string; place: Place; file: string }
  | { kind: 'read-back'; place: Place; manifest: Manifest }
  | { kind: 'restore'; url: string; place: Place; manifest: Manifest }

export interface Outcome {
  contents: DumpContents
  stored: { bytes: number; sha256: string }
  spent: Spent
  /** Only of `whole`. */
  readBack?: Spent
  /** Only of `restore`: up to its commit, which is where psql ends. */
  committed?: Spent
  /** Of the whole process. */
  peakMb: number
}

/** Does a job in a new process. Throws where that fails; the process has said why. */
export async function inOwnProcess(job: Job): Promise<Outcome> {
  const child = fork(SCRIPT, [JSON.stringify(job)], { execArgv: FLAGS })
  const exited = once(child, 'exit')
  const [outcome] = (await Promise.race([once(child, 'message'), exited])) as [Outcome | number | null]
  await exited
  if (typeof outcome !== 'object' || outcome === null) throw new Error(`The bench's ${job.kind} has failed`)
  return outcome
}
