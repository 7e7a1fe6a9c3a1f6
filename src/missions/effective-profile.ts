import { createHash } from 'node:crypto'
import type { ProfileFile } from '../config/profile-file.ts'
import { controlTools } from '../domain/control-tools/registry.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import { describeTool, optionalTools } from '../tools/registry.ts'
import type { Tool } from '../tools/tool.ts'

/**
 * Everything that shapes a mission, as it is at its creation: the mission runs on this to its end. Tools that could do
 * nothing are left out: each costs tokens at every step, and tempts the model to try.
 */
export function effectiveProfile(name: string, file: ProfileFile, tools: ReadonlyMap<string, Tool>): EffectiveProfile {
  const { model, instructions, limits, prices, egress, unknownOutcomes } = file
  const { steps, tokens, costUsd, wallHours } = limits
  return {
    name,
    model,
    instructions,
    prices,
    egress,
    unknownOutcomes,
    tools: file.tools.filter((tool) => isOfUse(tool, file, tools)).map((tool) => pin(tool, tools)),
    limits: {
      steps,
      tokens,
      costUsd,
      wallMs: Math.round(wallHours * 36e5),
    },
  }
}

/** An effective profile under its hash. */
export interface Pinned {
  profile: EffectiveProfile
  hash: string
}

const pinned = new WeakMap<ProfileFile, { tools: ReadonlyMap<string, Tool>; pinned: Pinned }>()

/** The same, made once for each profile of a deployment: schemas of 13 tools and their hash take a millisecond. */
export function pinProfile(name: string, file: ProfileFile, tools: ReadonlyMap<string, Tool>): Pinned {
  const known = pinned.get(file)
  if (known?.tools === tools) return known.pinned
  const profile = effectiveProfile(name, file, tools)
  const made = { profile, hash: profileHash(profile) }
  pinned.set(file, { tools, pinned: made })
  return made
}

export function profileHash(profile: EffectiveProfile): string {
  return createHash('sha256').update(JSON.stringify(profile)).digest('hex')
}

function isOfUse(name: string, { egress }: ProfileFile, tools: ReadonlyMap<string, Tool>): boolean {
  const tool = tools.get(name)
  if (tool === undefined) return !optionalTools.has(name)
  return tool.usable?.(egress) ?? true
}

function pin(name: string, tools: ReadonlyMap<string, Tool>): EffectiveProfile['tools'][number] {
  const tool = tools.get(name) ?? controlTools.find((control) => control.name === name)
  if (tool === undefined) throw new Error(`Profiles are checked when they are loaded, yet there is no tool "${name}"`)
  return { ...describeTool(tool), effect: tool.effect }
}
