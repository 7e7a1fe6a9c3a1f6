import type { AskMigrator, Standing } from './migrator.ts'
import type { Package } from './package/build-package.ts'
import type { TemplateParameters } from './parameters/remember.ts'
import { startAfter, type DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** How far a deployment came, for whoever has to clean up after it. */
export interface Progress {
  startedAt: string
  who?: string
  /** Their name to Azure, which is a login of Postgres. */
  login?: string
  /** For the commands that read the templates' parameters: from the shell, remembered, and what Azure knows. */
  parameters?: TemplateParameters
  /** Of the deployments before, the newest first; absent until storage could be reached. */
  records?: DeploymentRecord[]
  /** The newest of them that was tested. */
  previous?: DeploymentRecord | undefined
  made?: Package
  target?: Target
  migrator?: AskMigrator
  apiKey?: string
  standing?: Standing
}

/** What is kept of this deployment. Throws where there was no package yet. */
export function recordOf(
  session: Session,
  { startedAt, records = [], who, made, standing }: Progress,
  end: Pick<DeploymentRecord, 'outcome' | 'runs' | 'reason'>,
): DeploymentRecord {
  if (made === undefined) throw new Error('nothing is recorded before there is a package')
  const { version, commit, codeRevision, build, blob, sha256, bytes } = made
  return {
    environment: session.environment.name,
    kind: 'deploy',
    version,
    commit,
    codeRevision,
    build,
    schema: standing === undefined ? null : { revision: standing.revision, minCode: standing.minCode },
    package: { blob, sha256, bytes },
    who: who ?? 'unknown',
    startedAt: startAfter(startedAt, records),
    endedAt: session.now().toISOString(),
    ...end,
  }
}
