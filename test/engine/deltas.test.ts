import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { storeDeltas, type DeltaRemoval, type DeltaWrite } from '../../src/db/queries/deltas.ts'
import { fold } from '../../src/domain/evolve.ts'
import type { EffectiveProfile } from '../../src/domain/profile.ts'
import { callModel } from '../../src/engine/call-model.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { Deltas } from '../../src/engine/deltas.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Model } from '../../src/models/model.ts'
import { createWorld, gate, say, type World } from '../support/engine.ts'
import { created, journal, started } from '../support/journal.ts'

/** Statements as they were sent; `pass` lets the oldest that is on its way end. */
let sent: { writes: readonly DeltaWrite[]; removals: readonly DeltaRemoval[] }[]
let underWay: PromiseWithResolvers<void>[]
let pauses: { ms: number; end: () => void }[]
let deltas: Deltas

beforeEach(() => {
  sent = []
  underWay = []
  pauses = []
  const sleep = (ms: number) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    pauses.push({ ms, end: resolve })
    return promise
  }
  deltas = new Deltas(
    (writes, removals) => {
      sent.push({ writes, removals })
      underWay.push(Promise.withResolvers())
      return (underWay.at(-1) as PromiseWithResolvers<void>).promise
    },
    { monotonic: () => 0, sleep },
  )
})

const settled = () => new Promise((resolve) => setImmediate(resolve))

async function tick(): Promise<number | undefined> {
  const pause = pauses.shift()
  pause?.end()
  await settled()
  return pause?.ms
}

async function pass(error?: Error): Promise<void> {
  const statement = underWay.shift()
  if (error === undefined) statement?.resolve()
  else statement?.reject(error)
  await settled()
}

function audience(missionId = 'm', { epoch = 1, watched = true } = {}) {
  return { missionId, epoch, watched }
}

const texts = () => sent.map(({ writes }) => writes.map(({ missionId, text }) => `${missionId}: ${text}`))

describe('an answer that is being written', () => {
  it('is stored whole, four times a second at most, and never by two statements at once', async () => {
    const preview = deltas.open(audience(), 7)
    for (const piece of ['a', 'b', 'c']) preview.onText(piece)
    await settled()
    expect(sent).toEqual([])
    expect(await tick()).toBe(250)
    for (const piece of ['d', 'e']) preview.onText(piece)
    expect(await tick()).toBeUndefined()
    await pass()
    expect(texts()).toEqual([['m: abc']])
    expect(await tick()).toBe(250)
    expect(texts()).toEqual([['m: abc'], ['m: abcde']])
    expect(sent[0]?.writes[0]).toEqual({ missionId: 'm', epoch: 1, afterSeq: 7, text: 'abc' })
    await pass()
    expect(pauses).toEqual([])
  })

  it('goes with those of all missions in one statement', async () => {
    const previews = ['m', 'n', 'o'].map((id) => deltas.open(audience(id), 1))
    for (const preview of previews) preview.onText('x')
    await tick()
    expect(texts()).toEqual([['m: x', 'n: x', 'o: x']])
  })

  it('is stored only while somebody reads along, with what came before', async () => {
    const reader = audience('m', { watched: false })
    const preview = deltas.open(reader, 1)
    preview.onText('a')
    expect(pauses).toEqual([])
    reader.watched = true
    preview.onText('b')
    await tick()
    await pass()
    reader.watched = false
    preview.onText('c')
    expect(pauses).toEqual([])
    expect(texts()).toEqual([['m: ab']])
  })

  it('is stored up to 32 KiB, and not again for what follows', async () => {
    const preview = deltas.open(audience(), 1)
    preview.onText('x'.repeat(40_000))
    await tick()
    expect(sent[0]?.writes[0]?.text).toHaveLength(32 * 1024)
    preview.onText('y')
    await pass()
    expect(pauses).toEqual([])
  })

  it('starts over with a repeated attempt', async () => {
    const preview = deltas.open(audience(), 1)
    preview.onText('Hel')
    preview.onRestart()
    preview.onText('He')
    await tick()
    expect(texts()).toEqual([['m: He']])
  })
})

describe('an answer that is done', () => {
  it('is removed after the write that is on its way', async () => {
    const preview = deltas.open(audience(), 1)
    preview.onText('a')
    await tick()
    preview.onText('b')
    preview.close()
    expect(await tick()).toBeUndefined()
    await pass()
    await tick()
    expect(sent.slice(1)).toEqual([{ writes: [], removals: [{ missionId: 'm', epoch: 1 }] }])
    await pass()
    expect(pauses).toEqual([])
  })

  it('costs no statement where nothing was stored', async () => {
    const preview = deltas.open(audience(), 1)
    preview.onText('a')
    preview.close()
    await tick()
    expect(sent).toEqual([])
    expect(pauses).toEqual([])
  })

  it('gives its place to the next one of the mission', async () => {
    const [first, second] = [deltas.open(audience(), 1), deltas.open(audience(), 3)]
    first.onText('a')
    await tick()
    await pass()
    first.close()
    second.onText('b')
    await tick()
    expect(sent.slice(1)).toEqual([{ writes: [{ missionId: 'm', epoch: 1, afterSeq: 3, text: 'b' }], removals: [] }])
  })
})

it('a table out of order is asked less often, and nobody is told', async () => {
  const preview = deltas.open(audience(), 1)
  preview.onText('a')
  await tick()
  await pass(new Error('no such table'))
  preview.onText('b')
  expect(await tick()).toBe(250)
  preview.onText('c')
  await pass(new Error('no such table'))
  expect(await tick()).toBe(5_000)
  await pass()
  expect(texts()).toEqual([['m: a'], ['m: ab'], ['m: abc']])
})

describe('a model call', () => {
  const state = fold(journal(created(), started()))
  const profile = { model: {}, tools: [], prices: {}, instructions: '' } as unknown as EffectiveProfile
  const context = (model: Model) =>
    ({ model, deltas, clock: systemClock, defaultModel: 'm' }) as unknown as EngineContext
  const ask = (model: Model) => callModel(context(model), state, profile, new AbortController().signal, audience())

  it('shows its answer from the journal as it is, and takes it away when it is done', async () => {
    const { reached, pass: wait, open } = gate()
    const answer = ask({
      complete: async (_, { onText }) => {
        onText?.('Hel')
        await wait()
        return say('Hello')
      },
    })
    await reached
    await tick()
    expect(sent[0]?.writes).toEqual([{ missionId: 'm', epoch: 1, afterSeq: 2, text: 'Hel' }])
    await pass()
    open()
    expect(await answer).toMatchObject({ type: 'model.answered', data: { text: 'Hello' } })
    await tick()
    expect(sent[1]?.removals).toEqual([{ missionId: 'm', epoch: 1 }])
  })

  it('shows nothing of an attempt that is repeated', async () => {
    const answer = await ask({
      complete: (_, { onText, onRestart }) => {
        onText?.('Hel')
        onRestart?.()
        onText?.('He')
        return tick().then(() => say('Hello'))
      },
    })
    expect(answer).toMatchObject({ type: 'model.answered' })
    expect(sent[0]?.writes).toMatchObject([{ text: 'He' }])
  })

  it('is done whatever becomes of what it shows', async () => {
    const { pass: wait, open } = gate()
    const answer = ask({
      complete: async (_, { onText }) => {
        onText?.('Hel')
        await wait()
        return say('Hello')
      },
    })
    await tick()
    await pass(new Error('no such table'))
    open()
    expect(await answer).toMatchObject({ type: 'model.answered' })
  })
})

describe('the table', () => {
  let world: World
  let db: World['missions']['databases']['engine']
  beforeAll(async () => {
    world = await createWorld()
    db = world.missions.databases.engine
  })
  afterAll(() => world.stop())
  const stored = (id: string) =>
    world.sql('select epoch, after_seq as "afterSeq", text from taskforce.deltas where mission_id = $1', [id])
  const setEpoch = (id: string, epoch: number) =>
    world.sql('update taskforce.missions set epoch = $2 where id = $1', [id, epoch])
  const write = (missionId: string, epoch: number, text: string) =>
    storeDeltas(db, [{ missionId, epoch, afterSeq: 2, text }], [])

  it('takes the text of the present owner, of any characters, and removes it', async () => {
    const id = await world.create()
    await setEpoch(id, 1)
    await write(id, 1, 'a')
    await write(id, 1, 'a\0\ud800b')
    expect(await stored(id)).toEqual([{ epoch: 1, afterSeq: 2, text: 'a\ufffd\ufffdb' }])
    await storeDeltas(db, [], [{ missionId: id, epoch: 1 }])
    expect(await stored(id)).toEqual([])
  })

  it('takes nothing of an earlier owner: neither over what a later one wrote, nor after it was removed', async () => {
    const id = await world.create()
    await setEpoch(id, 2)
    await write(id, 1, 'old')
    expect(await stored(id)).toEqual([])
    await write(id, 2, 'new')
    // As if the earlier owner's statement had begun before the later one's claim.
    await setEpoch(id, 1)
    await write(id, 1, 'old')
    await storeDeltas(db, [], [{ missionId: id, epoch: 1 }])
    expect(await stored(id)).toEqual([{ epoch: 2, afterSeq: 2, text: 'new' }])
  })

  it('is written to by the engine beside the journal', async () => {
    const id = await world.create()
    await setEpoch(id, 1)
    const real = new Deltas((writes, removals) => storeDeltas(db, writes, removals), systemClock)
    const preview = real.open(audience(id), 2)
    preview.onText('Hi')
    await expect.poll(() => stored(id)).toHaveLength(1)
    preview.close()
    await expect.poll(() => stored(id)).toEqual([])
  })
})
