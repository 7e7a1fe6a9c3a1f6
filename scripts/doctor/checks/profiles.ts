import type { ProfileFile } from '../../../src/config/profile-file.ts'
import { effectiveProfile } from '../../../src/missions/effective-profile.ts'
import { createTools } from '../../../src/tools/registry.ts'
import type { Inputs, Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'

/** Each profile: whether it is valid, its model's price, tools that this deployment is without, and what it may reach. */
export function profilesProbe(inputs: Inputs): Probe {
  return {
    group: 'Profiles',
    name: 'profiles',
    hint: 'look at the files in profiles/',
    run: () => [
      ...wrongOnes(inputs),
      ...[...inputs.profiles.byName].flatMap(([name, file]) => lookAt(name, file, inputs)),
    ],
  }
}

function wrongOnes({ profiles, config }: Inputs): Finding[] {
  return profiles.problems.map(({ file, key, reason }) => {
    const hint = file === 'environment' ? `set ${key} to one of them` : `correct ${key} in ${file}`
    const isWhole = key === '(whole folder)'
    const name = isWhole ? file : file.replace(/^.*\/|\.ya?ml$/g, '')
    const needed = file === 'environment' || isWhole || name === config.defaultProfile
    // Others work without a wrong one, which is left out.
    return needed ? fail(name, `${key} ${reason}`, hint) : warn(name, `left out: ${key} ${reason}`, hint)
  })
}

function lookAt(name: string, file: ProfileFile, inputs: Inputs): Finding[] {
  const { config } = inputs
  const model = file.model.name ?? config.model.name
  const standard = name === config.defaultProfile ? 'the default; ' : ''
  const missing = missingTools(name, file, inputs)
  const count = file.tools.length - missing.length
  const without = missing.length === 0 ? '' : ` (without ${missing.join(', ')})`
  const tools = `${count} ${count === 1 ? 'tool' : 'tools'}${without}`
  const line = pass(name, `${standard}model ${model}, ${tools}, ${egress(file)}`)
  return [line, ...price(name, file, model, inputs)]
}

function fileOf(name: string, { profilesDir = 'profiles' }: Inputs['config']): string {
  return `${profilesDir}/${name}.yaml`
}

function egress({ egress: { allow, post } }: ProfileFile): string {
  const reads = allow.includes('*') ? 'reads any public site' : `reads ${allow.join(', ') || 'no site'}`
  return post.length === 0 ? reads : `${reads}, posts to ${post.join(', ')}`
}

/** By the names that a mission is charged for: the server may answer with a dated one, which is looked up first. */
function price(name: string, file: ProfileFile, model: string, { config }: Inputs): Finding[] {
  // The demo model costs nothing.
  if (config.model.provider === 'none' || model === 'demo' || file.prices[model] !== undefined) return []
  const detail = `no price for ${model}: its missions count as free, and limits.costUsd never ends one`
  const hint = `add to ${fileOf(name, config)} under prices: ${model}: { inputUsd: '…', outputUsd: '…' }`
  return [warn(name, detail, hint)]
}

/** Tools that the profile names and its missions are not offered, because they could do nothing. */
function missingTools(name: string, file: ProfileFile, { config }: Inputs): string[] {
  const tools = createTools({ search: config.search && { config: config.search } })
  const offered = new Set(effectiveProfile(name, file, tools).tools.map((tool) => tool.name))
  return file.tools.filter((tool) => !offered.has(tool))
}
