import type { Config, Secrets } from '../../src/config/config.ts'
import type { Profiles } from '../../src/config/load-profiles.ts'
import { causeOf } from './failure.ts'
import type { Part } from './read-settings.ts'
import { fail, warn, type Check, type Finding, type Group } from './report.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tokens } from './tokens.ts'

/** All that checks may know. */
export interface Inputs extends Surroundings {
  config: Config
  secrets: Secrets
  broken: ReadonlyMap<Part, string[]>
  tokens: Tokens
  profiles: Profiles
  /** Every secret that must not be shown, also in texts of other servers. */
  known(): string[]
  /** Of an API to look at; absent: the local environment's. */
  url: string | undefined
  /** Whether one paid call of the model is wanted. */
  ask: boolean
}

/** Looks at one thing under a deadline. */
export interface Probe {
  group: Group
  /** The line that stands for it where it ends early. */
  name: string
  /** What to do then. */
  hint: string
  /** Milliseconds; absent: as all others. */
  deadlineMs?: number
  run(signal: AbortSignal): Finding[] | Promise<Finding[]>
}

/** Runs a probe to its end or its deadline, whichever comes first. Never rejects, and tells no message of an error. */
export async function runProbe(probe: Probe, deadlineMs: number): Promise<Check[]> {
  const ms = probe.deadlineMs ?? deadlineMs
  const controller = new AbortController()
  const { promise: late, resolve } = Promise.withResolvers<Finding[]>()
  const timer = setTimeout(() => {
    resolve([fail(probe.name, `no answer within ${ms / 1000} s`, probe.hint)])
    controller.abort()
  }, ms)
  const run = async () => probe.run(controller.signal)
  const failed = (error: unknown) => [fail(probe.name, `failed: ${causeOf(error)}`, probe.hint)]
  const findings = await Promise.race([run().catch(failed), late])
  clearTimeout(timer)
  return findings.map((finding) => ({ group: probe.group, ...finding }))
}

/** What stands in for a check whose settings are wrong; those are listed under Settings, so it is no further problem. */
export function notLookedAt(name: string, keys: readonly string[]): Finding[] {
  return [warn(name, 'not looked at, because of its settings', `correct ${keys.join(', ')} first`)]
}
