import * as apps from './commands/apps.ts'
import * as blobs from './commands/blobs.ts'
import { lineOf } from './commands/command.ts'
import * as git from './commands/git.ts'
import * as subscription from './commands/subscription.ts'
import type { Environment } from './environments.ts'
import { KEY_PATH } from './look-at-running.ts'
import { drainRequest, resumeRequest, type MigratorRequest } from './requests.ts'
import { PLACEHOLDERS as target } from './target.ts'

const FILE = '$PACKAGE'
const RECORD = '$RECORD'
const RECORDS = '$RECORDS'
const LOCK = '$LOCK'
const BLOB = 'packages/$PACKAGE'

/** Conditions of what a deployment seldom does. */
const LEFT = 'another run left its lock'
const FAILS = 'publish or smoke fails, and another package ran before'
const WORKS = 'the new package works'

const migrate = (request: MigratorRequest) => `POST ${target.migratorUrl}/migrate ${JSON.stringify(request)}`

/** Everything that a deployment does, in order, one a line; what only a later answer tells is a `$NAME`. Nothing runs. */
export function planDeploy(environment: Environment, { skipInfra = false }: { skipInfra?: boolean }): string[] {
  return [
    ...[subscription.showAccount(), subscription.showOutputs(environment)].map(lineOf),
    ...takeLock(environment, 'it was deployed before'),
    ...lookAtHistory(environment, 'it was deployed before'),
    ...(skipInfra
      ? []
      : [when('it is the first', lineOf(subscription.showGroupRegion(environment))), ...readSubscription(environment)]),
    ...[git.readCommit(), git.readChanges()].map(lineOf),
    `build ${FILE}`,
    when('it was deployed before', lineOf(blobs.fetchPackage(target, BLOB, FILE))),
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
    when('it is not stored', lineOf(blobs.storePackage(target, { blob: BLOB, sha256: '$SHA256' }, FILE))),
    ...findApiKey(),
    ...release(environment),
    ...unlock(environment),
  ]
}

/** The lock of a first deployment; and what storage refused to this machine or person while the infrastructure was to come. */
function afterInfrastructure(environment: Environment): string[] {
  const refused = 'it was deployed before, and storage kept out whoever asked before the infrastructure'
  return [
    ...takeLock(environment, 'it is the first, or storage refused it before'),
    ...lookAtHistory(environment, refused),
    when(refused, lineOf(blobs.fetchPackage(target, BLOB, FILE))),
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
    ...takeLock(environment),
    ...lookAtHistory(environment),
    lineOf(apps.readApiKey(target)),
    ...(withoutMigrator ? [] : [lineOf(apps.readMigratorKey(target)), migrate({ action: 'status' })]),
    ...goBack(environment, withoutMigrator),
    ...unlock(environment),
  ]
}

/** What was recorded, and what the app itself says. */
function lookAtHistory(environment: Environment, condition?: string): string[] {
  const lines = [lineOf(blobs.fetchRecords(target, environment, RECORDS)), `GET ${target.apiUrl}/health`]
  return condition === undefined ? lines : lines.map((line) => when(condition, line))
}

function takeLock(environment: Environment, condition?: string): string[] {
  const lock = lineOf(blobs.storeLock(target, environment, LOCK))
  const left = condition === undefined ? LEFT : `${condition}, and ${LEFT}`
  return [
    condition === undefined ? lock : when(condition, lock),
    when(left, lineOf(blobs.fetchLock(target, environment, LOCK))),
    when(`${left} that is taken over`, lineOf(blobs.storeLock(target, environment, LOCK, true))),
  ]
}

function readSubscription(environment: Environment): string[] {
  return [
    ...[
      subscription.readBudgetStart(environment),
      subscription.listServers(environment),
      subscription.showBicepVersion(),
      subscription.readTemplateParameters(environment),
      subscription.listProviders(),
      subscription.listFlexRegions(false),
      ...(environment.shape === 'production' ? [subscription.listFlexRegions(true)] : []),
      subscription.listModels(environment.location),
      subscription.listModelUsage(environment.location),
    ].map(lineOf),
    when('a model is not there, or too little quota is left', lineOf(subscription.groupExists(environment))),
    lineOf(subscription.listPostgresSizes(environment)),
  ]
}

/** And what runs already is asked for it. */
function findApiKey(): string[] {
  return [
    lineOf(apps.listSecrets(target)),
    when('there is none', lineOf(apps.storeApiKey(target, '$KEY'))),
    lineOf(apps.readApiKeyStatus(target)),
    when('the app does not know it', lineOf(apps.refreshSecrets(target))),
    when('the app does not know it', lineOf(apps.restart(target))),
    lineOf(apps.readApiKey(target)),
    when('something runs already', `GET ${target.apiUrl}/health/ready`),
    when('something runs already', `GET ${target.apiUrl}${KEY_PATH}`),
    when('that is answered with 401', lineOf(apps.refreshSecrets(target))),
    when('that is answered with 401', lineOf(apps.restart(target))),
  ]
}

/** From the migrator's package to the record of it all. */
function release(environment: Environment): string[] {
  return [
    lookAtLock(environment),
    lineOf(apps.publish(target, target.migratorApp, FILE)),
    lineOf(apps.readMigratorKey(target)),
    migrate({ action: 'status' }),
    when('it is not the first', `${migrate({ action: 'check' })}  # and again from "next"`),
    lookAtLock(environment),
    migrate({ action: 'expand', codeRevision: 0 }).replace('"codeRevision":0', '"codeRevision":$RUNNING'),
    ...exchange(environment, 'deployment of $VERSION by $WHO'),
    ...smoke(),
    ...[lookAtLock(environment), migrate({ action: 'status' }), ...goBack(environment)].map((line) =>
      when(FAILS, line),
    ),
    when(WORKS, lookAtLock(environment)),
    migrate({ action: 'all' }),
    when(WORKS, lookAtLock(environment)),
    storeRecord(environment),
  ]
}

/** To an older package, by hand or by itself. */
function goBack(environment: Environment, withoutMigrator = false): string[] {
  return [
    lineOf(blobs.fetchPackage(target, BLOB, FILE)),
    ...(withoutMigrator ? replace(environment) : exchange(environment, 'rollback to $VERSION by $WHO')),
    ...smoke(),
    ...record(environment),
  ]
}

function unlock(environment: Environment): string[] {
  return [lookAtLock(environment), lineOf(blobs.removeLock(target, environment))]
}

/** After another look whether the lock is there still. */
function record(environment: Environment): string[] {
  return [lookAtLock(environment), storeRecord(environment)]
}

function lookAtLock(environment: Environment): string {
  return lineOf(blobs.fetchLock(target, environment, LOCK))
}

function storeRecord({ name }: Environment): string {
  return lineOf(blobs.storeRecord(target, `${name}/$RECORD`, RECORD))
}

/** With a record before, for where it does not come to its end. */
function replace(environment: Environment): string[] {
  return [...record(environment), lineOf(apps.publish(target, target.app, FILE))]
}

function exchange(environment: Environment, reason: string): string[] {
  const drain = migrate(drainRequest(reason))
  return [
    lookAtLock(environment),
    `${drain}  # and every 5 minutes until it is over`,
    drain,
    ...replace(environment),
    lookAtLock(environment),
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

function when(condition: string, line: string): string {
  const [command, remark] = line.split('  # ')
  return `${command}  # where ${condition}${remark === undefined ? '' : `; ${remark}`}`
}
