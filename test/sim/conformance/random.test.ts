import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectSame, playSteps } from './play-steps.ts'
import { steps } from './random-steps.ts'
import { stores, type Store } from './stores.ts'

let both: [Store, Store]
beforeAll(async () => {
  both = (await Promise.all(stores.map(([, open]) => open({ blocked: 'fails' })))) as [Store, Store]
})
afterAll(async () => {
  await Promise.all(both.map((store) => store.stop()))
})

it('whatever is done, both databases say and keep the same', { timeout: 120_000 }, async () => {
  await expect(expectSame(...both, 30)).resolves.toBeUndefined()
})

it('the steps reach all that they are about', async () => {
  const reached = new Set<string>()
  const sequence = fc.array(fc.oneof(...steps), { minLength: 40, maxLength: 60, size: 'max' })
  for (const given of fc.sample(sequence, { numRuns: 300, seed: 1 })) {
    const seen = await playSteps(both[0], given)
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
