import type { BackupContext } from '../backup/context.ts'
import type { Engine } from '../engine/engine.ts'
import type { Caller } from '../missions/context.ts'
import type { MissionsContext } from '../missions/context.ts'
import type { Watchers } from '../missions/watchers.ts'
import type { AuthSettings } from './authenticate.ts'
import type { ApiRequest, ApiResponse } from './http.ts'

export interface ApiContext {
  missions: MissionsContext
  watchers: Watchers
  engine: Pick<Engine, 'reserve'>
  auth: AuthSettings
}

/** One route's work; throws a Refusal where it can't be done. */
export type Endpoint<Context = ApiContext> = (
  request: ApiRequest,
  context: Context,
  caller: Caller,
) => Promise<ApiResponse>

/** Of the routes that look after the deployment. */
export type AdminEndpoint = Endpoint<BackupContext>
