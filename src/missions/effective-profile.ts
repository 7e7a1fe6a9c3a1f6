import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { ProfileFile } from '../config/profile-file.ts'
import { controlTools } from '../domain/control-tools/registry.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import { optionalTools } from '../tools/registry.ts'
import type { Tool } from '../tools/tool.ts'

/**
 * Everything that shapes a mission, as it is at its creation: the mission runs on this to its end. Optional tools that this
 * deployment is without are left out.
 */
export function effectiveProfile(name: string, file: ProfileFile, tools: ReadonlyMap<string, Tool>): EffectiveProfile {
  const { model, instructions, limits, prices, egress } = file
  const { steps, tokens, costUsd, wallHours } = limits
  return {
    name,
    model,
    instructions,
    prices,
    egress,
    tools: file.tools.filter((tool) => tools.has(tool) || !optionalTools.has(tool)).map((tool) => pin(tool, tools)),
    limits: {
      steps,
      tokens,
      costUsd,
      wallMs: Math.round(wallHours * 36e5),
    },
  }
}

export function profileHash(profile: EffectiveProfile): string {
  return createHash('sha256').update(JSON.stringify(profile)).digest('hex')
}

function pin(name: string, tools: ReadonlyMap<string, Tool>): EffectiveProfile['tools'][number] {
  const tool = tools.get(name) ?? controlTools.find((control) => control.name === name)
  if (tool === undefined) throw new Error(`Profiles are checked when they are loaded, yet there is no tool "${name}"`)
  const { description, effect, input } = tool
  // `io: input`: what the model writes; defaults are then optional in the schema, as they are for it.
  const { $schema: _, ...parameters } = z.toJSONSchema(input, { io: 'input' })
  return { name, description, parameters, effect }
}
