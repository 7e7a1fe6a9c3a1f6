import { buildId } from '../../build-id.ts'
import { clearDrain, setDrain } from '../../db/queries/drain.ts'
import { CODE_REVISION } from '../../db/schema-revision.ts'
import { TerminalError } from '../../domain/errors.ts'
import { Refusal } from '../../missions/refusal.ts'
import { version } from '../../version.ts'
import { json, type ApiRequest, type ApiResponse } from '../http.ts'
import { parse } from '../parse.ts'
import { readJson } from '../read-body.ts'
import { bringUp } from './migrate/bring-up.ts'
import { changeDrain } from './migrate/change-drain.ts'
import { checkMissions } from './migrate/check-missions.ts'
import { joinWhereUnread } from './migrate/join-where-unread.ts'
import { requestSchema, type AppLogin, type Database, type MigrateRequest } from './migrate/request.ts'
import { standing } from './migrate/standing.ts'

/**
 * Migrates, drains and resumes, checks that missions can be read, and answers where the database stands then. The platform ends an
 * answer after 230 s while the work goes on: whoever repeats the request waits for its lock and gets what is there. `status` and
 * `check` write nothing, but for the membership of a login that may not read the schema. @throws Refusal
 * @param login that `expand` and `all` let sign in as the app; absent: none, as on a server of one's own
 */
export async function migrate(request: ApiRequest, database: Database, login?: AppLogin): Promise<ApiResponse> {
  const wanted = parse(requestSchema, (await readJson(request)).value)
  try {
    await joinWhereUnread(database)
    const done = await act(wanted, database, login)
    return json(200, { ...(await standing(database)), ...done, version, codeRevision: CODE_REVISION, build: buildId })
  } catch (error) {
    throw error instanceof TerminalError ? refusalOf(error) : error
  }
}

async function act(wanted: MigrateRequest, database: Database, login: AppLogin): Promise<object> {
  switch (wanted.action) {
    case 'status':
      return {}
    case 'check':
      return checkMissions(database, wanted.after)
    case 'expand':
      return bringUp(database, login, { codeRevision: wanted.codeRevision })
    case 'all':
      return bringUp(database, login, {})
    case 'drain':
      return changeDrain(database, wanted.by, (client) => setDrain(client, wanted))
    case 'resume':
    default:
      return changeDrain(database, wanted.by, clearDrain)
  }
}

/** What may pass by waiting is asked again. */
const PASSING: ReadonlySet<string> = new Set(['migrate_busy', 'migration_locked', 'database_unreachable'])

function refusalOf({ code, message, hint }: TerminalError): Refusal {
  const detail = [message, hint].filter((part) => part !== undefined).join(' ')
  return new Refusal(PASSING.has(code) ? 'not_ready' : 'illegal_state', `${code}: ${detail}`)
}
