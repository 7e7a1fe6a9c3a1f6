import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import type { PipelineOrder, PipelineResult } from '../backup/store/pipeline-child.ts'

const CHILD = fileURLToPath(new URL('../backup/store/pipeline-child.ts', import.meta.url))
/** Of the process that dumps. */
const MOST_MB = 256
/** The peaks of two runs alike differ by up to 40 MB, as the collector comes to it; of 700 MiB more text a tenth may not stay. */
const COLLECTOR_MB = 64

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-memory-'))
  azurite = await startAzurite({ dataDir: folder })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

async function run(megabytes: number, encrypted: boolean): Promise<PipelineResult> {
  const { connectionString } = azurite
  const order: PipelineOrder = { connectionString, name: `${megabytes}-${encrypted}.zst`, megabytes, encrypted }
  const child = fork(CHILD, [JSON.stringify(order)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const exited = once(child, 'exit')
  const [result] = (await Promise.race([once(child, 'message'), exited])) as [PipelineResult]
  await exited
  console.log(`${megabytes} MiB of text, encrypted: ${encrypted}`, result)
  return result
}

it.each([false, true])(
  'memory does not grow with the file (encrypted: %s)',
  async (encrypted) => {
    const small = await run(100, encrypted)
    const large = await run(800, encrypted)
    expect(large.storedBytes).toBeGreaterThan(200_000_000)
    expect(large.peakMb).toBeLessThan(MOST_MB)
    expect(large.peakMb - small.peakMb).toBeLessThan(COLLECTOR_MB)
  },
  400_000,
)
