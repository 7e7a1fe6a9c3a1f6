import * as apps from './commands/apps.ts'
import * as blobs from './commands/blobs.ts'
import { lineOf, type Command } from './commands/command.ts'
import * as git from './commands/git.ts'
import * as subscription from './commands/subscription.ts'
import type { Environment } from './environments.ts'
import { drainRequest, resumeRequest, type MigratorRequest } from './requests.ts'
import { PLACEHOLDERS as target } from './target.ts'

const FILE = '$PACKAGE'
const RECORD = '$RECORD'
const RECORDS = '$RECORDS'
const LOCK = '$LOCK'
const BLOB = 'packages/$PACKAGE'

const migrate = (request: MigratorRequest) => `POST ${target.migratorUrl}/migrate ${JSON.stringify(request)}`

/** Everything that a deployment does, in order, one a line; what only a later answer tells is a `$NAME`. Nothing runs. */
export function planDeploy(environment: Environment, { skipInfra = false }: { skipInfra?: boolean }): string[] {
  const { name } = environment
  return [
    ...[subscription.showAccount(), subscription.showOutputs(environment)].map(lineOf),
    when('it was deployed before', blobs.storeLock(target, environment, LOCK)),
    when('it was deployed before', blobs.fetchRecords(target, environment, RECORDS)),
    ...(skipInfra ? [] : [when('it is the first', subscription.showGroupRegion(environment))]),
    ...(skipInfra
      ? []
      : [
          subscription.readBudgetStart(environment),
          subscription.listServers(environment),
          subscription.showBicepVersion(),
          subscription.listProviders(),
          subscription.readTemplateParameters(environment),
          subscription.listFlexRegions(false),
          ...(environment.shape === 'production' ? [subscription.listFlexRegions(true)] : []),
          subscription.listModelUsage(environment.location),
          subscription.listPostgresSizes(environment),
        ].map(lineOf)),
    ...[git.readCommit(), git.readChanges()].map(lineOf),
    `build ${FILE}`,
    when('it was deployed before', blobs.fetchPackage(target, BLOB, FILE)),
    `npm run check-deploy -- --from ${FILE}  # the same, as --database-user or who is signed in`,
    ...(skipInfra
      ? []
      : [
          subscription.whatIf(environment),
          subscription.createInfrastructure(environment),
          subscription.showOutputs(environment),
        ].map(lineOf)),
    ...(skipInfra ? [] : afterInfrastructure(environment)),
    lineOf(blobs.showPackage(target, BLOB)),
    when('it is not stored', blobs.storePackage(target, { blob: BLOB, sha256: '$SHA256' }, FILE)),
    lineOf(apps.listSecrets(target)),
    when('there is none', apps.storeApiKey(target, '$KEY')),
    lineOf(apps.readApiKeyStatus(target)),
    when('the app does not know it', apps.refreshSecrets(target)),
    when('the app does not know it', apps.restart(target)),
    lineOf(apps.readApiKey(target)),
    lineOf(apps.publish(target, target.migratorApp, FILE)),
    lineOf(apps.readMigratorKey(target)),
    migrate({ action: 'status' }),
    `${migrate({ action: 'check' })}  # where it is not the first; and again from "next"`,
    migrate({ action: 'expand', codeRevision: 0 }).replace('"codeRevision":0', '"codeRevision":$RUNNING'),
    ...exchange('deployment of $VERSION by $WHO'),
    ...smoke(),
    migrate({ action: 'all' }),
    lineOf(blobs.storeRecord(target, `${name}/$RECORD`, RECORD)),
    ...release(environment),
  ]
}

/** The lock of a first deployment; and what storage refused to this machine or person while the infrastructure was to come. */
function afterInfrastructure(environment: Environment): string[] {
  const refused = 'it was deployed before, and storage kept out whoever asked before the infrastructure'
  return [
    when('it is the first, or storage refused it before', blobs.storeLock(target, environment, LOCK)),
    when(refused, blobs.fetchRecords(target, environment, RECORDS)),
    when(refused, blobs.fetchPackage(target, BLOB, FILE)),
    `npm run check-deploy -- --from ${FILE}  # where ${refused}`,
  ]
}

/** The same for going back. */
export function planRollback(
  environment: Environment,
  { withoutMigrator = false }: { withoutMigrator?: boolean },
): string[] {
  return [
    ...[subscription.showAccount(), subscription.showOutputs(environment)].map(lineOf),
    lineOf(blobs.storeLock(target, environment, LOCK)),
    lineOf(blobs.fetchRecords(target, environment, RECORDS)),
    lineOf(apps.readApiKey(target)),
    ...(withoutMigrator ? [] : [lineOf(apps.readMigratorKey(target)), migrate({ action: 'status' })]),
    lineOf(blobs.fetchPackage(target, BLOB, FILE)),
    ...(withoutMigrator ? [lineOf(apps.publish(target, target.app, FILE))] : exchange('rollback to $VERSION by $WHO')),
    ...smoke(),
    lineOf(blobs.storeRecord(target, `${environment.name}/$RECORD`, RECORD)),
    ...release(environment),
  ]
}

function release(environment: Environment): string[] {
  return [blobs.fetchLock(target, environment, LOCK), blobs.removeLock(target, environment)].map(lineOf)
}

function exchange(reason: string): string[] {
  const drain = migrate(drainRequest(reason))
  return [
    `${drain}  # and every 5 minutes until it is over`,
    drain,
    lineOf(apps.publish(target, target.app, FILE)),
    drain,
    migrate(resumeRequest()),
  ]
}

function smoke(): string[] {
  const api = `${target.apiUrl}/api/v1/missions`
  return [
    `GET ${target.apiUrl}/health`,
    `GET ${target.apiUrl}/health/ready`,
    `POST ${api}`,
    `GET ${api}/$ID`,
    `GET ${api}/$ID/events`,
  ]
}

function when(condition: string, command: Command): string {
  return `${lineOf(command)}  # where ${condition}`
}
