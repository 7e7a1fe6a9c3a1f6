import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { groundOn, idOf, OTHER } from './ground.ts'
import { beat } from '../../../src/db/queries/instances.ts'
import { Holder } from './holder.ts'
import { steps, type Run, type Step } from './random-steps.ts'
import { stores, type Store } from './stores.ts'

/** Of up to 60 steps each; a tenth of a second a run with both databases. */
const RUNS = 30

let both: Store[]
beforeAll(async () => {
  both = await Promise.all(stores.map(([, open]) => open({ blocked: 'fails' })))
})
afterAll(async () => {
  await Promise.all(both.map((store) => store.stop()))
})

/** What each step gave, and what is there in the end. */
async function play(store: Store, given: readonly Step[]): Promise<unknown[]> {
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

it('whatever is done, both databases say and keep the same', { timeout: 120_000 }, async () => {
  const sequence = fc.array(fc.oneof(...steps), { minLength: 15, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(sequence, async (given) => {
      const [memory, postgres] = [await play(both[0] as Store, given), await play(both[1] as Store, given)]
      expect(memory).toEqual(postgres)
    }),
    { numRuns: RUNS },
  )
})

it('the steps reach all that they are about', async () => {
  const reached = new Set<string>()
  const sequence = fc.array(fc.oneof(...steps), { minLength: 40, maxLength: 60, size: 'max' })
  for (const given of fc.sample(sequence, { numRuns: 300, seed: 1 })) {
    const seen = await play(both[0] as Store, given)
    for (const part of seen) if (Array.isArray(part) && typeof part[1] === 'string') reached.add(part[1])
    const text = JSON.stringify(seen)
    for (const sign of ['"limited":true', '"crashes":2', '"began":false', '"cancelled"', '"paused"', '"orphans":1']) {
      if (text.includes(sign)) reached.add(sign)
    }
  }
  for (const sign of ['55P03', '23505', '"limited":true', '"crashes":2', '"began":false', '"orphans":1', 'not_found']) {
    expect(reached).toContain(sign)
  }
})
