import type { DeploymentRecord } from '../../../scripts/deploy/records.ts'

/** Of a package that is named by one letter. */
export function record(letter: string, startedAt: string, over: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    environment: 'staging',
    kind: 'deploy',
    outcome: 'deployed',
    runs: true,
    version: '1.0.0',
    commit: letter.repeat(40),
    codeRevision: 3,
    schema: { revision: 3, minCode: 1 },
    package: { blob: `packages/${letter}.zip`, sha256: letter, bytes: 1 },
    who: 'ada',
    startedAt,
    endedAt: startedAt,
    ...over,
  }
}
