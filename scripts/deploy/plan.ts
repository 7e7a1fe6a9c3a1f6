import * as commands from './commands.ts'
import type { Environment } from './environments.ts'
import { drainRequest, loginsOf, resumeRequest, type MigratorRequest } from './requests.ts'
import { PLACEHOLDERS as target } from './target.ts'

const FILE = '$PACKAGE'
const RECORD = '$RECORD'
const RECORDS = '$RECORDS'
const DEPLOYMENT = '$DEPLOYMENT'
const BLOB = 'packages/$PACKAGE'

const migrate = (request: MigratorRequest) => `POST ${target.migratorUrl}/migrate ${JSON.stringify(request)}`

/** Everything that a deployment does, in order, one a line; what only a later answer tells is a `$NAME`. Nothing runs. */
export function planDeploy(environment: Environment, { skipInfra = false }: { skipInfra?: boolean }): string[] {
  const { name } = environment
  return [
    ...[commands.showAccount()].map(commands.lineOf),
    ...(skipInfra
      ? []
      : [
          commands.listProviders(),
          commands.listFlexRegions(),
          commands.listModelUsage(environment),
          commands.readBudgetStart(environment),
        ].map(commands.lineOf)),
    ...[commands.readCommit(), commands.readChanges()].map(commands.lineOf),
    `build ${FILE}`,
    commands.lineOf(commands.listDeployments(environment)),
    when('it was deployed before', commands.showDeployment(DEPLOYMENT)),
    when('it was deployed before', commands.fetchRecords(target, environment, RECORDS)),
    when('it was deployed before, and with --database-user', commands.fetchPackage(target, BLOB, FILE)),
    `npm run check-deploy -- --from ${FILE}  # the same`,
    ...(skipInfra
      ? find(environment)
      : [commands.whatIf(environment), commands.createInfrastructure(environment)].map(commands.lineOf)),
    commands.lineOf(commands.showPackage(target, BLOB)),
    when('it is not stored', commands.storePackage(target, { blob: BLOB, sha256: '$SHA256' }, FILE)),
    commands.lineOf(commands.listSecrets(target)),
    when('there is none', commands.storeApiKey(target, '$KEY')),
    commands.lineOf(commands.readApiKeyStatus(target)),
    when('the app does not know it', commands.refreshSecrets(target)),
    when('the app does not know it', commands.restart(target)),
    commands.lineOf(commands.readApiKey(target)),
    commands.lineOf(commands.publish(target, target.migratorApp, FILE)),
    commands.lineOf(commands.readMigratorKey(target)),
    migrate({ action: 'status' }),
    migrate({ action: 'expand', codeRevision: 0, logins: loginsOf(target) }).replace(
      '"codeRevision":0',
      '"codeRevision":$RUNNING',
    ),
    ...exchange('deployment of $VERSION by $WHO'),
    ...smoke(),
    migrate({ action: 'all', logins: loginsOf(target) }),
    commands.lineOf(commands.storeRecord(target, `${name}/$RECORD`, RECORD)),
  ]
}

/** The same for going back. */
export function planRollback(environment: Environment): string[] {
  return [
    commands.lineOf(commands.showAccount()),
    ...find(environment),
    commands.lineOf(commands.fetchRecords(target, environment, RECORDS)),
    commands.lineOf(commands.readApiKey(target)),
    commands.lineOf(commands.readMigratorKey(target)),
    migrate({ action: 'status' }),
    commands.lineOf(commands.fetchPackage(target, BLOB, FILE)),
    ...exchange('rollback to $VERSION by $WHO'),
    ...smoke(),
    commands.lineOf(commands.storeRecord(target, `${environment.name}/$RECORD`, RECORD)),
  ]
}

function find(environment: Environment): string[] {
  return [commands.listDeployments(environment), commands.showDeployment(DEPLOYMENT)].map(commands.lineOf)
}

function exchange(reason: string): string[] {
  return [
    migrate(drainRequest(reason)),
    commands.lineOf(commands.publish(target, target.app, FILE)),
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

function when(condition: string, command: commands.Command): string {
  return `${commands.lineOf(command)}  # where ${condition}`
}
