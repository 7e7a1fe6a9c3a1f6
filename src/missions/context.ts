import type { ProfileFile } from '../config/profile-file.ts'
import type { Databases } from '../db/connection.ts'
import type { Wakes } from '../engine/ports.ts'
import type { Telemetry } from '../telemetry/events.ts'
import type { Tool } from '../tools/tool.ts'

/** What the use cases work with. */
export interface MissionsContext {
  databases: Databases
  wakes: Wakes
  telemetry: Telemetry
  tools: ReadonlyMap<string, Tool>
  profiles: ReadonlyMap<string, ProfileFile>
  defaultProfile: string
  newId(): string
}

/** Who asks: found out by the API from the request's credentials. */
export interface Caller {
  tenantId: string
  /** Recorded with answers and cancels. */
  name: string
}

/** The one tenant of this version; later ones come with their own keys. */
export const DEFAULT_TENANT = '00000000-0000-7000-8000-000000000001'
