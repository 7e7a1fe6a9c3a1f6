import type { Config, Problem } from '../config/config.ts'
import { loadProfiles, profilesDir, type Profiles } from '../config/load-profiles.ts'
import { controlTools } from '../domain/control-tools/registry.ts'
import { optionalTools } from '../tools/registry.ts'
import type { Tool } from '../tools/tool.ts'

/**
 * The profiles of this deployment, checked against the tools that it has. What is wrong with single ones is said, and the
 * others work; a folder that can't be read, or a default that is not among them, is a problem like any other.
 */
export function readProfiles(
  tools: ReadonlyMap<string, Tool>,
  config: Pick<Config, 'defaultProfile' | 'profilesDir'>,
): Profiles {
  const names = new Set([...tools.keys(), ...optionalTools, ...controlTools.map(({ name }) => name)])
  const { byName, problems } = load(config.profilesDir, names)
  return { byName, problems: [...problems, ...missingDefault(byName, config.defaultProfile)] }
}

/** A handler that throws leaves its client without an answer, so nothing is thrown here. */
function load(dir: string | undefined, tools: ReadonlySet<string>): Profiles {
  try {
    return loadProfiles(dir ?? profilesDir(), tools, dir)
  } catch (error) {
    const reason = `can't be read: ${(error as Error).message}`
    return { byName: new Map(), problems: [{ file: dir ?? 'profiles', key: '(whole folder)', reason }] }
  }
}

function missingDefault(profiles: Profiles['byName'], defaultProfile: string): Problem[] {
  if (profiles.has(defaultProfile)) return []
  const known = [...profiles.keys()].join(', ')
  const reason = `there is no usable profile "${defaultProfile}"; there are: ${known || 'none'}`
  return [{ file: 'environment', key: 'PROFILE', reason }]
}
