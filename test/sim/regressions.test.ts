import { describe, expect, it } from 'vitest'
import { runHistory, type Case } from './run-history.ts'
import { memoryStore } from './stores.ts'

/** Histories that broke a rule once, and what they found; each runs for some hundredths of a second. */
const FOUND: [seed: number, what: string][] = [
  [7349, 'a wake that was taken before the last fault and failed after it is no failure for no reason'],
  [8631, 'a mission that lay beside one that kills was given up with it'],
  [13499, 'a sweep whose sender died of the first mission it woke sent no wakes to the others, again and again'],
  [14390, 'a mission that lay beside one that kills was given up with it, by a count that left out the last death'],
  [16160, 'a claim whose answer came after its mission was given up ran a tool beside the new owner'],
  [18827, 'a claim whose answer was lost counted as a crash'],
  [21722, 'a call that is cancelled in the last moment ends when its instance learns of it'],
]

const run = async (one: Case) => runHistory(one, await memoryStore.fresh(), one.trace)

describe('the simulation', () => {
  it.each(FOUND)('seed %i, where %s, breaks no rule', async (seed) => {
    expect((await run({ seed })).violations).toEqual([])
  })

  it('gives the same history for the same seed, line by line, and another one for another', async () => {
    const [one, again, other] = [
      await run({ seed: 4, trace: true }),
      await run({ seed: 4, trace: true }),
      await run({ seed: 5, trace: true }),
    ]
    expect(one.lines?.length).toBeGreaterThan(100)
    expect(again.lines).toEqual(one.lines)
    expect(other.lines).not.toEqual(one.lines)
  })

  it('leaves out the missions and the faults that it is told to leave out', async () => {
    const whole = await run({ seed: 8631 })
    const some = whole.injected.slice(0, 2).map(({ id }) => id)
    expect(whole.history.missions.length).toBeGreaterThan(1)
    const smaller = await run({ seed: 8631, missions: [0], faults: some })
    expect(smaller.injected.map(({ id }) => id).filter((id) => !some.includes(id))).toEqual([])
    const planned = smaller.history.missions.filter(({ forkedFrom }) => forkedFrom === null)
    expect(planned).toHaveLength(1)
  })
})
