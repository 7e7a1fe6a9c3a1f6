import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectSame } from '../sim/conformance/play-steps.ts'
import { stores, type Store } from '../sim/conformance/stores.ts'

let both: [Store, Store]
beforeAll(async () => {
  both = (await Promise.all(stores.map(([, open]) => open({ blocked: 'fails' })))) as [Store, Store]
})
afterAll(async () => {
  await Promise.all(both.map((store) => store.stop()))
})

it('whatever is done, the simulated database and Postgres say and keep the same', { timeout: 600_000 }, async () => {
  await expect(expectSame(...both, 2_000)).resolves.toBeUndefined()
})
