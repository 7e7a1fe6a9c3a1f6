import { once } from 'node:events'
import http, { type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runFixture, stopHosts, type TestHost } from './host/run-host.ts'

/** Through the library's own server, as on the platform. */
let host: TestHost
beforeAll(async () => {
  host = await runFixture('events')
}, 60_000)
afterAll(stopHosts)

const MIB = 2 ** 20

interface State {
  watching: number
  /** Bytes in the memory of the library's server for one response, the most that there were. */
  mostHeld: number
  /** Whether the last stream's response is kept. */
  isKnown: boolean
}

const state = async () => (await (await fetch(`${host.url}/state`)).json()) as State

/** Has the answer's head; its body is read as the test likes. */
async function open(path: string): Promise<IncomingMessage> {
  const request = http.get(host.url + path, { agent: false })
  request.on('error', () => undefined)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.on('error', () => undefined)
  return response
}

test('a client that stops reading has 1 MiB held for it, and its stream is closed', async () => {
  const response = await open('/events/busy?beat=100')
  await expect.poll(state, { timeout: 20_000 }).toMatchObject({ watching: 0 })
  const { mostHeld } = await state()
  expect(mostHeld).toBeGreaterThan(0.8 * MIB)
  expect(mostHeld).toBeLessThan(1.2 * MIB)
  // What the kernel and the host took before is some MiB; it comes whole, and the client knows where to go on.
  const ids = await read(response)
  expect(ids.length).toBeGreaterThan(16)
  expect(ids).toEqual(upTo(ids.length))
  await expect.poll(state).toMatchObject({ isKnown: false })
})

test('a client that reads slowly gets everything, and no more than 1 MiB is held for it', async () => {
  const ids = await read(await open('/events/long'), 2)
  expect(ids).toEqual(upTo(480))
  const { mostHeld } = await state()
  expect(mostHeld).toBeLessThan(1.2 * MIB)
})

test.each(['quiet', 'busy'])('a client that goes away from a %s stream frees its watcher', async (mission) => {
  const response = await open(`/events/${mission}`)
  await expect.poll(state).toMatchObject({ watching: 1, isKnown: true })
  response.destroy()
  await expect.poll(state).toMatchObject({ watching: 0, isKnown: false })
})

/** Numbers of events, read with a pause after each piece of about 64 KiB. */
async function read(response: IncomingMessage, pauseMs = 0): Promise<number[]> {
  const ids: number[] = []
  let rest = ''
  for await (const piece of response.setEncoding('utf8')) {
    const text = rest + (piece as string)
    for (const [, seq] of text.matchAll(/^id: (\d+)\n/gm)) ids.push(Number(seq))
    rest = text.slice(text.lastIndexOf('\n') + 1).slice(0, 20)
    if (pauseMs > 0) await sleep(pauseMs)
  }
  return ids
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
