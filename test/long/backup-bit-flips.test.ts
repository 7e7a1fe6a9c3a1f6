import { expect, it } from 'vitest'
import { hashStored } from '../../src/backup/codec/hash-stored.ts'
import { chunksOf, dumpText, encodeAll, flipBit, outcomeOf } from '../backup/codec/stored.ts'

const POSITIONS = 1_000

it('a large file with a bit flipped anywhere is refused by its hash, and never decodes to something else', async () => {
  const plain = dumpText(40_000_000)
  const { stored, sha256 } = await encodeAll(plain)
  expect(stored.length).toBeGreaterThan(10_000_000)
  const counts = { detected: 0, same: 0, 'silently wrong': 0 }
  const trials = Array.from({ length: POSITIONS }, () => Math.floor(Math.random() * stored.length * 8)).values()
  /** Two at once: half of the work is the decompressor's, on threads of its own. */
  async function lane(): Promise<void> {
    for (const bit of trials) {
      const changed = flipBit(stored, bit)
      counts[await outcomeOf(changed, plain)] += 1
      expect((await hashStored(chunksOf(changed))).sha256).not.toBe(sha256)
    }
  }
  await Promise.all([lane(), lane()])
  console.log(`${POSITIONS} flips in ${stored.length} bytes`, counts)
  // Some bits of a frame say nothing, and with one of them flipped the same text comes out: the hash alone sees these.
  expect(counts['silently wrong']).toBe(0)
  expect(counts.detected + counts.same).toBe(POSITIONS)
  expect(counts.same).toBeLessThan(POSITIONS / 50)
}, 600_000)
