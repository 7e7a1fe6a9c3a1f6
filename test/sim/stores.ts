import type { Backend } from './backend.ts'
import { MemoryBackend } from './memory/backend.ts'
import { PostgresBackend } from './postgres-backend.ts'
import { SIM_TENANTS } from './tenants.ts'

/** Where histories keep their rows. */
export interface Store {
  /** Empty, but for the tenants. */
  fresh(): Promise<Backend> | Backend
  close(): Promise<void>
}

export const memoryStore: Store = {
  fresh: () => new MemoryBackend({ tenants: SIM_TENANTS }),
  close: async () => undefined,
}

/** The same database again and again, emptied each time. */
export async function postgresStore(urls: { appUrl: string; ownerUrl: string }): Promise<Store> {
  const backend = await PostgresBackend.open(urls)
  return {
    fresh: async () => {
      await backend.reset()
      return backend
    },
    close: () => backend.close(),
  }
}
