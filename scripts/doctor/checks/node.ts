import manifest from '../../../package.json' with { type: 'json' }
import type { Probe } from '../probe.ts'
import { fail, pass, type Finding } from '../report.ts'

/** The version of Node against `engines` of package.json. */
export function nodeProbe(nodeVersion: string): Probe {
  return {
    group: 'Node',
    name: 'version',
    hint: 'install Node 24',
    run: () => [checkNode(nodeVersion, manifest.engines.node)],
  }
}

export function checkNode(nodeVersion: string, range: string): Finding {
  const wanted = range.replaceAll('^', '').split(' || ').join(' or newer of its line, or ')
  if (satisfies(nodeVersion, range)) return pass('version', `${nodeVersion} is supported`)
  const hint = 'install Node 24; on Linux x64, npm ci brings it along for all npm scripts'
  return fail('version', `${nodeVersion} is not supported: ${wanted} or newer of its line`, hint)
}

/** Of semver, the form that `engines` has: `^a.b.c || ^d.e.f`, with a, d above 0. */
function satisfies(version: string, range: string): boolean {
  const has = version.split('.').map(Number)
  return range.split('||').some((part) => {
    const least = part.trim().replace('^', '').split('.').map(Number)
    if (has[0] !== least[0]) return false
    const [minor = 0, patch = 0] = has.slice(1)
    const [leastMinor = 0, leastPatch = 0] = least.slice(1)
    return minor > leastMinor || (minor === leastMinor && patch >= leastPatch)
  })
}
