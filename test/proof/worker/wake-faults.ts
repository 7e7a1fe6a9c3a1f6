import type { Wakes } from '../../../src/engine/ports.ts'
import { Random } from '../../sim/random.ts'
import type { FileLedger } from './file-ledger.ts'
import type { WorkerSettings } from './settings.ts'

/** Wakes that come twice, late or never: all that the port allows. Who sent one learns nothing of it. */
export function faultyWakes(
  wakes: Wakes,
  { lose, duplicate, delay, delayMs, seed }: NonNullable<WorkerSettings['wakeFaults']>,
  ledger: FileLedger,
): Wakes {
  const random = new Random(seed, ledger.instance)
  return {
    async send(missionId, inSeconds) {
      if (random.chance(lose)) return ledger.fault({ kind: 'wake-lost' })
      const isLate = random.chance(delay)
      const late = isLate ? (random.next() * delayMs) / 1000 : 0
      if (isLate) ledger.fault({ kind: 'wake-delayed' })
      await wakes.send(missionId, inSeconds + late)
      if (!random.chance(duplicate)) return
      ledger.fault({ kind: 'wake-duplicated' })
      await wakes.send(missionId, inSeconds)
    },
  }
}
