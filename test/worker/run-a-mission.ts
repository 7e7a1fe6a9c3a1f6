import { expect } from 'vitest'
import type { Backends } from './backends.ts'
import { deliver, request, type WorkerHost } from './hosts/worker-host.ts'

interface Mission {
  id: string
  status: string
  result?: { text: string }
  lastSeq: number
  links: { self: string; events: string }
}

/** Creates a mission over HTTP and gives it as the answer did. */
export async function createMission(host: WorkerHost, goal: string): Promise<Mission> {
  const response = await request(host, 'create-mission', '/api/v1/missions', { method: 'POST', body: { goal } })
  const mission = (await response.json()) as Mission
  expect(response.status).toBe(202)
  expect(response.headers.get('location')).toBe(mission.links.self)
  return mission
}

export async function readMission(host: WorkerHost, id: string): Promise<Mission> {
  const response = await request(host, 'get-mission', `/api/v1/missions/${id}`, { params: { id } })
  expect(response.status).toBe(200)
  return (await response.json()) as Mission
}

/** A mission's whole way through a host: created, followed while it waits, woken by the queue, and read when it has ended. */
export async function expectMissionToRun(host: WorkerHost, backends: Backends): Promise<void> {
  const { id, status } = await createMission(host, 'Say hello')
  expect(status).toBe('queued')
  // Answered now, before anything happens: a host that buffers would keep the stream back until the mission has ended.
  const stream = await request(host, 'mission-events', `/api/v1/missions/${id}/events`, {
    params: { id },
    headers: { accept: 'text/event-stream' },
  })
  expect(stream.headers.get('content-type')).toContain('text/event-stream')

  const wake = await backends.takeWake()
  expect(wake).toEqual({ missionId: id })
  await deliver(host, 'run-mission', wake)

  const done = await readMission(host, id)
  expect(done.status).toBe('completed')
  expect(done.result?.text).toMatch(/hello/i)
  const ids = [...(await stream.text()).matchAll(/^id: (\d+)$/gm)].map(([, seq]) => Number(seq))
  expect(ids).toEqual(Array.from({ length: done.lastSeq }, (_, index) => index + 1))
}
