import { beforeEach, expect, it } from 'vitest'
import type { Session } from '../../scripts/deploy/session.ts'
import { inStage, LOOK_MS } from '../../scripts/deploy/session.ts'

let at: number
let said: string[]
let written: string[]
let session: Session
/** Ends the sleepers whose time has come. */
let pass: (ms: number) => Promise<void>
beforeEach(() => {
  ;[at, said, written] = [0, [], []]
  const sleepers = new Set<{ until: number; wake: () => void }>()
  pass = async (ms) => {
    for (const end = at + ms; at < end;) {
      at += LOOK_MS
      for (const sleeper of sleepers)
        if (sleeper.until <= at) {
          sleepers.delete(sleeper)
          sleeper.wake()
        }
      await new Promise(setImmediate)
    }
  }
  const clock: Session['clock'] = {
    monotonic: () => at,
    sleep: (ms, signal) =>
      new Promise((wake) => {
        sleepers.add({ until: at + ms, wake })
        signal?.addEventListener('abort', () => wake(), { once: true })
      }),
  }
  const log = { say: (line: string) => void said.push(line), write: (line: string) => void written.push(line) }
  session = { clock, log, stopping: new AbortController() } as unknown as Session
})

it('a stage that takes long is named after some seconds, then once a minute, and no more when it has ended', async () => {
  await inStage(session, 'infrastructure', () => pass(3 * 60_000))
  expect(said).toEqual([
    '… infrastructure',
    '… infrastructure 1 min 4 s',
    '… infrastructure 2 min 4 s',
    '✔ infrastructure  3 min',
  ])
  await pass(10 * 60_000)
  expect(said).toHaveLength(4)
})

it('a short one is named once, and one that fails not afterwards', async () => {
  await inStage(session, 'package', () => Promise.resolve())
  expect(said).toEqual(['✔ package         0 ms'])
  await expect(
    inStage(session, 'drain', async () => {
      await pass(LOOK_MS)
      throw new Error('on purpose')
    }),
  ).rejects.toThrow('on purpose')
  await pass(5 * 60_000)
  expect(said.slice(1)).toEqual(['… drain'])
})

it('one whose line can not be said goes on', async () => {
  const { say } = session.log
  session.log.say = (line) => {
    if (line.startsWith('…')) throw new Error('nobody reads it')
    say(line)
  }
  await inStage(session, 'publish', () => pass(2 * 60_000))
  expect(said).toEqual(['✔ publish         2 min'])
  expect(written).toEqual(['== publish', 'publish is not named any more: nobody reads it'])
})
