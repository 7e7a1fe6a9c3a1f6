import type { AskMigrator, Standing } from './migrator.ts'
import type { Package } from './package/build-package.ts'
import type { TemplateParameters } from './parameters/remember.ts'
import type { Seen } from './find-running.ts'
import { startAfter, type DeploymentRecord, type History } from './records.ts'
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
  /** Of the deployments before; absent until storage could be reached. */
  history?: History
  /** What ran when this began. */
  before?: Seen
  made?: Package
  target?: Target
  migrator?: AskMigrator
  apiKey?: string
  standing?: Standing
}

/** What is kept of this deployment. Throws where there was no package yet. */
export function recordOf(
  session: Session,
  { startedAt, history, who, made, standing }: Progress,
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
    startedAt: startAfter(startedAt, history?.records ?? []),
    endedAt: session.now().toISOString(),
    ...end,
  }
}
