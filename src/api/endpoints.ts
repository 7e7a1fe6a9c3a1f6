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
  backup: BackupContext
}

/** One route's work; throws a Refusal where it can't be done. */
export type Endpoint = (request: ApiRequest, context: ApiContext, caller: Caller) => Promise<ApiResponse>
