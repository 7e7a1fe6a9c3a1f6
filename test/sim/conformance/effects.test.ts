import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEffects, createBlobEffects } from '../../../src/engine/blob-effects.ts'
import type { Begin, Effects } from '../../../src/engine/ports.ts'
import { startAzurite, type LocalAzurite } from '../../../src/local/azurite/start-azurite.ts'
import { MemoryBackend } from '../memory/backend.ts'
import { World } from '../world.ts'
import { memoryEffects } from '../../support/effects.ts'
import { idOf } from './ground.ts'

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-effects-'))
  azurite = await startAzurite({ dataDir: folder })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

const memory = memoryEffects()

/** Those of the simulation, without faults. */
function simulated(): Effects {
  const { effects, scheduler } = new World(1, new MemoryBackend(), { only: new Set() })
  const port = effects.of({ name: 'i0', dead: false, frozenUntil: 0, skewMs: 0 })
  return {
    async claim(begin, signal) {
      const claimed = port.claim(begin, signal)
      await Promise.resolve()
      await scheduler.run(scheduler.now + 1_000, () => false)
      return claimed
    },
  }
}
const inSimulation = simulated()

/** What one process after the other has of the same claims. */
const ledgers: [name: string, open: () => Effects][] = [
  ['in memory', () => memory],
  ['in the simulation', () => inSimulation],
  ['as blobs', () => createBlobEffects(() => connectEffects({ kind: 'connection-string' }, azurite.connectionString))],
]
const never = new AbortController().signal

describe.each(ledgers)('a claim of a call that acts once, %s', (_, open) => {
  const begin = (n: number, over: Partial<Begin> = {}): Begin => {
    return { missionId: idOf('mission', n), key: '7.0', tool: 'act', instance: idOf('instance', n), ...over }
  }

  it('is won by one of many, and the others learn whose it is', async () => {
    const begins = Array.from({ length: 5 }, (__, n) => begin(1, { instance: idOf('instance', n) }))
    const results = await Promise.all(begins.map((one) => open().claim(one, never)))
    const winner = begins[results.findIndex(({ kind }) => kind === 'claimed')]
    const lost = results.filter(({ kind }) => kind === 'taken')
    expect(lost).toHaveLength(4)
    for (const result of lost) {
      expect(result).toMatchObject({
        by: { instance: winner?.instance, tool: 'act', at: expect.stringMatching(/^\d{4}-.*Z$/) },
      })
    }
  })

  it('is never won again, not by the winner either, nor by a process that comes later', async () => {
    expect(await open().claim(begin(2), never)).toEqual({ kind: 'claimed' })
    expect(await open().claim(begin(2), never)).toMatchObject({
      kind: 'taken',
      by: { instance: idOf('instance', 2) },
    })
  })

  it('is not made where nobody wants it any more', async () => {
    const why = new Error('The lease is lost')
    await expect(open().claim(begin(5), AbortSignal.abort(why))).rejects.toBe(why)
    expect(await open().claim(begin(5), never)).toEqual({ kind: 'claimed' })
  })

  it('is for one call of one mission', async () => {
    for (const one of [begin(3), begin(3, { key: '7.1' }), begin(3, { key: '17.0' }), begin(4)]) {
      expect(await open().claim(one, never)).toEqual({ kind: 'claimed' })
    }
  })
})
