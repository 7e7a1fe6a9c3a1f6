import { expect, it } from 'vitest'
import type { Case, Outcome } from './run-history.ts'
import { shrink } from './shrink.ts'

const BROKEN = { invariant: 'I4', counts: 'duplicated' as const, what: 'twice' }
const OTHER = { invariant: 'I8', counts: 'stuck' as const, what: 'stands' }

const FAULTS = Array.from({ length: 40 }, (_, n) => `p${n}`)

/** A world in which what breaks the rule is known. */
function worldWhere(breaks: (missions: readonly number[], faults: readonly string[]) => Outcome['violations']) {
  const runs: Case[] = []
  const run = async (one: Case): Promise<Outcome> => {
    runs.push(one)
    const missions = one.missions ?? [0, 1, 2, 3]
    const faults = one.faults ?? FAULTS
    const injected = faults.map((id) => ({ id, kind: 'before', where: '' }))
    return { violations: breaks(missions, faults), injected, planned: 4 } as unknown as Outcome
  }
  return { run, runs }
}

it('what is needed is left over, and nothing else', async () => {
  const { run } = worldWhere((missions, faults) =>
    missions.includes(2) && faults.includes('p7') && faults.includes('p31') ? [BROKEN] : [],
  )
  const found = { seed: 1 }
  const { smallest, outcome } = await shrink(found, await run(found), run)
  expect(smallest).toEqual({ seed: 1, missions: [2], faults: ['p7', 'p31'] })
  expect(outcome.violations).toEqual([BROKEN])
})

it('a smaller case that breaks another rule is not taken', async () => {
  const { run } = worldWhere((_, faults) => (faults.length > 20 ? [BROKEN] : [OTHER]))
  const found = { seed: 1 }
  const { smallest } = await shrink(found, await run(found), run)
  expect(smallest.faults?.length).toBe(21)
})

it('ends with what it has when it takes too long', async () => {
  const many = Array.from({ length: 2_000 }, (_, n) => `p${n}`)
  const { run, runs } = worldWhere((_, faults) => (faults.includes('p1') && faults.includes('p1999') ? [BROKEN] : []))
  const found = { seed: 1, faults: many }
  const { smallest } = await shrink(found, await run(found), run)
  expect(runs.length).toBeLessThan(200)
  expect(smallest.faults).toContain('p1')
  expect(smallest.faults).toContain('p1999')
})
