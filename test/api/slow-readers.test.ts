import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { eventStream, streamLimits, type StreamLimits } from '../../src/api/event-stream.ts'
import type { JournalRow } from '../../src/domain/parse-event.ts'
import type { Delta, Watcher, Watchers } from '../../src/missions/watchers.ts'

const MISSION = '01999999-9999-7999-8999-000000000001'
const decoder = new TextDecoder()

/** In place of the poller: what the stream gives it to call, and what it says. */
let watcher: Watcher
let unwatch: ReturnType<typeof vi.fn<() => void>>
const watchers = {
  watch(given: Watcher) {
    watcher = given
    return unwatch
  },
} as unknown as Watchers

beforeEach(() => {
  unwatch = vi.fn<() => void>()
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Events of about 1,000 bytes each, from a number on. */
function events(from: number, to: number): JournalRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    return { seq: from + index, v: 1, type: 'model.answered', at: 0, data: { text: 'x'.repeat(870) } }
  })
}

function open(limits: Partial<StreamLimits> = {}, deltas = false) {
  const reading = { missionId: MISSION, tenantId: 't', afterSeq: 0, deltas }
  const reader = eventStream(watchers, reading, { ...streamLimits, ...limits }).getReader()
  const seen: string[] = []
  const read = async () => {
    const { value, done } = await reader.read()
    if (!done) seen.push(decoder.decode(value))
    return !done
  }
  return {
    reader,
    read,
    /** Everything that lies unread, and whether the stream has ended. */
    async drain() {
      for (;;) {
        const next = read()
        const more = await Promise.race([next, vi.advanceTimersByTimeAsync(0).then(() => undefined)])
        if (more !== true) return { ended: more === false }
      }
    },
    seen,
    ids: () => seen.flatMap((text) => /^id: (\d+)/.exec(text)?.slice(1).map(Number) ?? []),
  }
}

describe('a slow reader', () => {
  test('is given no more than may lie unread, and the rest in order when it reads on', async () => {
    const { read, seen, ids } = open({ maxUnread: 10_000 })
    await read()
    let given = 0
    let most = 0
    while (given < 100) {
      given += watcher.deliver(events(given + 1, given + 50))
      expect(watcher.hasRoom()).toBe(false)
      expect(watcher.deliver(events(given + 1, given + 50))).toBe(0)
      most = Math.max(most, given - ids().length)
      await read()
      expect(watcher.hasRoom()).toBe(true)
    }
    expect(most).toBe(10)
    while (ids().length < given) await read()
    expect(ids()).toEqual(Array.from({ length: given }, (_, index) => index + 1))
    expect(seen[0]).toBe('retry: 2000\n\n')
  })

  test('gets an event that is larger than all that may lie unread, once it has read everything', async () => {
    const { read, ids } = open({ maxUnread: 500 })
    expect(watcher.deliver(events(1, 2))).toBe(0)
    await read()
    expect(watcher.deliver(events(1, 2))).toBe(1)
    await read()
    expect(watcher.deliver(events(2, 2))).toBe(1)
    await read()
    expect(ids()).toEqual([1, 2])
  })

  test('that takes nothing for half a minute while more waits is not waited for, and what it was sent stays readable', async () => {
    const { drain, ids } = open({ maxUnread: 10_000 })
    const given = watcher.deliver(events(1, 50))
    vi.advanceTimersByTime(30_000)
    expect(unwatch).not.toHaveBeenCalled()
    vi.advanceTimersByTime(15_000)
    expect(unwatch).toHaveBeenCalledOnce()
    expect(await drain()).toEqual({ ended: true })
    expect(ids()).toEqual(Array.from({ length: given }, (_, index) => index + 1))
  })

  test('that takes a little every now and then is never cut off', async () => {
    const { read } = open({ maxUnread: 10_000, lifetimeMs: 1e9 })
    let given = 0
    for (let minutes = 0; minutes < 30; minutes++) {
      given += watcher.deliver(events(given + 1, given + 50))
      vi.advanceTimersByTime(29_000)
      await read()
    }
    expect(unwatch).not.toHaveBeenCalled()
  })

  test('that was idle long before is not cut off for what comes at once', async () => {
    const { drain } = open({ maxUnread: 10_000, lifetimeMs: 1e9 })
    await drain()
    await vi.advanceTimersByTimeAsync(59_999)
    await drain()
    watcher.deliver(events(1, 50))
    vi.advanceTimersByTime(29_000)
    expect(unwatch).not.toHaveBeenCalled()
  })

  test('is sent no heartbeats that pile up', async () => {
    const { drain, seen } = open({ lifetimeMs: 1e9 })
    vi.advanceTimersByTime(600_000)
    await drain()
    expect(seen).toEqual(['retry: 2000\n\n'])
    vi.advanceTimersByTime(15_000)
    await drain()
    expect(seen.slice(1)).toEqual([': ping\n\n'])
  })
})

test('many readers are sent the same bytes', async () => {
  const rows = events(1, 1)
  const chunks = []
  for (let n = 0; n < 2; n++) {
    const { reader } = open()
    watcher.deliver(rows)
    await reader.read()
    chunks.push((await reader.read()).value)
  }
  expect(chunks[0]).toBeInstanceOf(Uint8Array)
  expect(chunks[0]).toBe(chunks[1])
})

test.each(['by itself', 'by its reader'])('a stream that ends %s leaves no timer behind', async (how) => {
  const { reader } = open()
  expect(vi.getTimerCount()).toBe(2)
  if (how === 'by its reader') await reader.cancel()
  else watcher.deliver([{ ...(events(1, 1)[0] as JournalRow), type: 'mission.completed' }])
  expect(vi.getTimerCount()).toBe(0)
  expect(unwatch).toHaveBeenCalledOnce()
})

describe('the text of an answer that is being written', () => {
  const delta = (text: string, over: Partial<Delta> = {}): Delta => {
    return { missionId: MISSION, epoch: 1, afterSeq: 2, text, writtenAt: text, ...over }
  }
  const message = (offset: number, text: string) =>
    `event: delta\ndata: ${JSON.stringify({ afterSeq: 2, offset, text })}\n\n`

  test('comes as what is new, and from the start where it is another text', async () => {
    const { drain, seen } = open({}, true)
    const said = [
      delta('He'),
      delta('Hello 🌍'),
      delta('Hello 🌍, you'),
      delta('Hi'),
      delta('Hi', { epoch: 2 }),
      delta('Hi!', { epoch: 2 }),
    ]
    for (const one of said) {
      await drain()
      watcher.preview?.(one)
      watcher.preview?.(one)
    }
    await drain()
    expect(seen.slice(1)).toEqual([
      message(0, 'He'),
      message(2, 'llo 🌍'),
      message(8, ', you'),
      message(0, 'Hi'),
      message(0, 'Hi'),
      message(2, '!'),
    ])
  })

  test('is left out for a reader that is behind, who gets all of it next time', async () => {
    const { drain, read, seen } = open({}, true)
    watcher.preview?.(delta('a'))
    await read()
    watcher.preview?.(delta('ab'))
    watcher.preview?.(delta('abc'))
    await read()
    watcher.preview?.(delta('abcd'))
    await drain()
    expect(seen.slice(1)).toEqual([message(0, 'ab'), message(2, 'cd')])
  })

  test('comes only to who asks for it', () => {
    open()
    expect(watcher.preview).toBeUndefined()
  })
})
