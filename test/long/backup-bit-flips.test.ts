import { expect, it } from 'vitest'
import { hashStored } from '../../src/backup/codec/hash-stored.ts'
import { chunksOf, dumpText, encodeAll, flipBit, outcomeOf } from '../backup/codec/stored.ts'

const POSITIONS = 1_000

it('a large file with a bit flipped anywhere is refused by its hash, and never decodes to something else', async () => {
  const plain = dumpText(80_000_000)
  const { stored, sha256 } = await encodeAll(plain)
  expect(stored.length).toBeGreaterThan(20_000_000)
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
  expect(counts).toEqual({ detected: POSITIONS, same: 0, 'silently wrong': 0 })
}, 600_000)
