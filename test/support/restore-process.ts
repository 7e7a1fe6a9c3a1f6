/** A restore in a process of its own, for tests that kill it. Started with one argument, a RestoreOrder as JSON. */
import { readFileSync } from 'node:fs'
import type { Manifest } from '../../src/backup/manifest.ts'
import { restore, type Stage } from '../../src/backup/restore/restore.ts'
import { inChunks, listedClaims } from './taken-backups.ts'

export interface RestoreOrder {
  url: string
  manifest: Manifest
  /** The stored file. */
  file: string
  /** Kills itself at this stage, or when so many parts of the file were read; absent: the test does, or nobody. */
  dieAt?: Stage | number
}

const { url, manifest, file, dieAt } = JSON.parse(process.argv[2] ?? '{}') as RestoreOrder
const die = () => process.kill(process.pid, 'SIGKILL')

await restore({
  url,
  manifest,
  chunks: inChunks(readFileSync(file), 8 * 1024),
  replace: true,
  waitForLeasesMs: 1_000,
  effects: listedClaims([]),
  onStage: (stage) => {
    process.send?.(stage)
    if (stage === dieAt) die()
  },
  onProgress: (read, total) => {
    if (typeof dieAt === 'number' && read >= total * dieAt) die()
  },
})
process.exit(0)
