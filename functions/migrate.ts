import { app } from '@azure/functions'
import { migrate } from '../src/api/admin/migrate.ts'
import { Refusal } from '../src/missions/refusal.ts'
import { appContext } from './app-context.ts'
import { answered, toApiRequest } from './http-endpoint.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/**
 * What a deployment asks of the database. An app of its own has it, inside the network and with the rights of the schema's owner;
 * its callers prove themselves with a key of the platform, which the deployer's role reads.
 */
if (isRole('migrator')) {
  app.http('migrate', {
    methods: ['POST'],
    route: 'migrate',
    authLevel: 'function',
    handler: traced((request, context) =>
      answered(request, context, () => {
        const result = appContext()
        if (result.ok) return migrate(toApiRequest(request), result.app.backup, result.app.config.appLogin)
        const wrong = result.problems.map(({ key, reason }) => `${key} ${reason}`).join('; ')
        throw new Refusal('not_ready', `The migrator is not configured: ${wrong}.`)
      }),
    ),
  })
}
