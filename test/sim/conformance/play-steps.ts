import fc from 'fast-check'
import { expect } from 'vitest'
import { beat } from '../../../src/db/queries/instances.ts'
import { groundOn, idOf, OTHER } from './ground.ts'
import { Holder } from './holder.ts'
import { steps, type Run, type Step } from './random-steps.ts'
import type { Store } from './stores.ts'

/** What each step gave, and what is there in the end. */
export async function playSteps(store: Store, given: readonly Step[]): Promise<unknown[]> {
  const ground = await groundOn(store)
  await store.addTenant({ id: OTHER.tenantId, weight: 2, maxRunning: 1 })
  const run: Run = { ground, holder: new Holder(store.databases.api), created: [], held: [] }
  const seen: unknown[] = []
  for (const n of [1, 2]) await beat(ground.db, { id: idOf('instance', n), version: '0', host: 'x' }, 60)
  for (const { does, text } of given) {
    // Steps take place at different milliseconds of their seconds, and all waits are whole seconds: no two missions are due
    // at the same time, where Postgres may take either first.
    await store.pass(1)
    const outcome = await does(run).catch((error: { code?: string; message: string }) => error.code ?? error.message)
    seen.push([text, outcome])
  }
  await run.holder.letGo(true)
  return [...seen, await store.missions(), await store.events(), (await store.instances()).sort(), ground.wakes.sent]
}

/** Whether two databases say and keep the same, whatever is done to them; a run takes a tenth of a second. */
export async function expectSame(one: Store, other: Store, numRuns: number): Promise<void> {
  const sequence = fc.array(fc.oneof(...steps), { minLength: 15, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(sequence, async (given) => {
      const [mine, its] = [await playSteps(one, given), await playSteps(other, given)]
      expect(mine).toEqual(its)
    }),
    { numRuns },
  )
}
