import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { awaitReady } from './readiness.ts'
import { readSomeEvents } from './smoke-events.ts'
import { smokeFailed } from './smoke-failed.ts'
import { ask, askPatiently, type Answer, type SmokeOptions } from './smoke-request.ts'

/** For a cold start and for a new package to be the one that answers. */
const WAITS_MS = [2_000, 5_000, 10_000, 15_000, 30_000, 30_000, 60_000]
const MISSION_MS = 300_000
const LOOK_MS = 2_000

const healthSchema = z.looseObject({ status: z.literal('healthy'), version: z.string(), build: z.string().optional() })
const missionSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  lastSeq: z.int(),
  error: z.looseObject({ code: z.string(), message: z.string() }).optional(),
})

/**
 * Whether a deployment works: it is the package that was published, it is ready, a mission goes to its end, and its events can be
 * read again from the middle. Throws TerminalError `smoke_failed` with what does not.
 */
export async function smoke(options: SmokeOptions): Promise<void> {
  await awaitPackage(options)
  await requireReady(options)
  const mission = await runMission(options)
  await readSomeEvents(options, mission)
}

async function awaitPackage({ url, expected, clock, log }: SmokeOptions): Promise<void> {
  const waits = [...WAITS_MS]
  for (;;) {
    const answer = await ask(url, '/health', {})
    log.write(`GET ${url}/health ${answer.status}`)
    const parsed = healthSchema.safeParse(answer.body)
    if (parsed.success && isIt(parsed.data, expected)) return
    const wait = waits.shift()
    if (wait === undefined) {
      const what = parsed.success ? nameOf(parsed.data) : `${answer.status || 'nothing'}`
      throw smokeFailed(`${url}/health answers ${what} in place of ${nameOf(expected)}`)
    }
    await clock.sleep(wait)
  }
}

type Answering = SmokeOptions['expected']

function isIt(seen: Answering, { version, build }: Answering): boolean {
  return build === undefined ? seen.version === version : seen.build === build
}

function nameOf({ version, build }: Answering): string {
  return `version ${version}${build === undefined ? '' : ` (build ${build})`}`
}

async function requireReady(options: SmokeOptions): Promise<void> {
  const { worries } = await awaitReady(options)
  for (const line of worries) options.log.say(`  ready, but ${line}`)
}

async function runMission(options: SmokeOptions): Promise<z.infer<typeof missionSchema>> {
  const { goal, profile, clock, log } = options
  const wanted = {
    goal,
    labels: { origin: 'smoke-test' },
    limits: { steps: 10 },
    ...(profile === undefined ? {} : { profile }),
  }
  // By the same key, so that an answer that was lost is no second mission.
  const headers = { 'idempotency-key': randomUUID() }
  const created = await askPatiently(options, '/api/v1/missions', { headers, body: wanted })
  let mission = readMission(created, 'a new mission')
  for (const begun = clock.monotonic(); !['completed', 'failed', 'cancelled'].includes(mission.status);) {
    if (clock.monotonic() - begun > MISSION_MS || mission.status === 'paused')
      throw smokeFailed(
        `the mission ${mission.id} is ${mission.status} after ${Math.round((clock.monotonic() - begun) / 1000)} s`,
      )
    await clock.sleep(LOOK_MS)
    mission = readMission(await askPatiently(options, `/api/v1/missions/${mission.id}`), 'the mission')
  }
  log.write(`mission ${mission.id} ${mission.status}`)
  if (mission.status === 'completed') return mission
  throw smokeFailed(`the mission ${mission.id} ${mission.status}: ${mission.error?.message ?? 'no reason given'}`)
}

function readMission({ status, body }: Answer, what: string): z.infer<typeof missionSchema> {
  const parsed = missionSchema.safeParse(body)
  if (status < 300 && parsed.success) return parsed.data
  throw smokeFailed(`${what} is answered with ${status} ${JSON.stringify(body).slice(0, 300)}`)
}
