import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, YAMLParseError } from 'yaml'
import type { Problem } from './config.ts'
import { profileFileSchema, type ProfileFile } from './profile-file.ts'

export interface Profiles {
  byName: ReadonlyMap<string, ProfileFile>
  problems: Problem[]
}

/** Beside the bundle when built, in the repository when not. */
export function profilesDir(): string {
  const built = join(import.meta.dirname, 'profiles')
  return existsSync(built) ? built : join(import.meta.dirname, '../../profiles')
}

/**
 * Reads every `*.yaml` and `*.yml` of a folder; a file that is wrong is named with key and reason, and left out.
 * @param label what the folder is called in problems
 */
export function loadProfiles(dir: string, knownTools: ReadonlySet<string>, label = 'profiles'): Profiles {
  const byName = new Map<string, ProfileFile>()
  const problems: Problem[] = []
  for (const file of readdirSync(dir).filter((name) => PROFILE.test(name))) {
    const result = readProfile(join(dir, file), `${label}/${file}`, knownTools)
    if (Array.isArray(result)) problems.push(...result)
    else byName.set(file.replace(PROFILE, ''), result)
  }
  return { byName, problems }
}

const PROFILE = /(?<=^[^.].*)\.ya?ml$/

function readProfile(path: string, file: string, knownTools: ReadonlySet<string>): ProfileFile | Problem[] {
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    // Also a folder, a link that leads nowhere, aliases that grow without end: the other profiles work all the same.
    const reason = (error as Error).message.split('\n')[0] ?? ''
    if (!(error instanceof YAMLParseError)) return [{ file, key: '(whole file)', reason: `can't be read: ${reason}` }]
    return [{ file, key: `line ${error.linePos?.[0].line ?? '?'}`, reason: `is no valid YAML: ${reason}` }]
  }
  const parsed = profileFileSchema.safeParse(content)
  if (!parsed.success) {
    return parsed.error.issues.map((issue) => ({
      file,
      key: issue.path.join('.') || '(whole file)',
      reason: issue.message,
    }))
  }
  const unknown = parsed.data.tools.filter((tool) => !knownTools.has(tool))
  if (unknown.length > 0) {
    const known = [...knownTools].join(', ')
    return [{ file, key: 'tools', reason: `there is no tool "${unknown.join('", "')}"; there are: ${known}` }]
  }
  return parsed.data
}
