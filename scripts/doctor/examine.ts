import { readProfiles } from '../../src/missions/read-profiles.ts'
import { createTools } from '../../src/tools/registry.ts'
import { apiProbes } from './checks/api.ts'
import { databaseProbes } from './checks/database.ts'
import { identityProbes } from './checks/identity.ts'
import { modelProbes } from './checks/model.ts'
import { nodeProbe } from './checks/node.ts'
import { profilesProbe } from './checks/profiles.ts'
import { searchProbe } from './checks/search.ts'
import { storageProbe } from './checks/storage.ts'
import { runProbe, type Inputs } from './probe.ts'
import { readSettings } from './read-settings.ts'
import type { Check, Report } from './report.ts'
import { knownSecrets, scrubReport } from './scrub.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tokens } from './tokens.ts'

export interface Examination {
  surroundings: Surroundings
  tokens: Tokens
  nodeVersion: string
  /** Milliseconds that each check may take. */
  deadlineMs: number
  url: string | undefined
  ask: boolean
}

/** Looks at everything side by side. Takes as long as its slowest check, which is at most the deadline; never rejects for what it finds. */
export async function examine({
  surroundings,
  tokens,
  nodeVersion,
  deadlineMs,
  url,
  ask,
}: Examination): Promise<Report> {
  const { lines, findings, config, secrets, broken } = readSettings(surroundings)
  const ofSettings = knownSecrets(surroundings.values)
  const known = () => [...ofSettings, ...tokens.given()]
  const profiles = readProfiles(createTools(), config)
  const inputs: Inputs = { ...surroundings, config, secrets, broken, tokens, profiles, known, url, ask }
  const probes = [
    nodeProbe(nodeVersion),
    ...databaseProbes(inputs),
    storageProbe(inputs),
    ...modelProbes(inputs),
    searchProbe(inputs),
    profilesProbe(inputs),
    ...identityProbes(inputs),
    ...apiProbes(inputs),
  ]
  const found = await Promise.all(probes.map((probe) => runProbe(probe, deadlineMs)))
  const settings = findings.map((finding): Check => ({ group: 'Settings', ...finding }))
  const nothingConfigured =
    surroundings.bare && lines.every(({ source }) => source !== 'environment' && source !== 'local.settings.json')
  const report = { checks: [...settings, ...found.flat()], settings: lines, nothingConfigured }
  return scrubReport(report, known())
}
