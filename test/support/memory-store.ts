import type { BackupStore, StoredFile } from '../../src/backup/store/store.ts'
import { TerminalError } from '../../src/domain/errors.ts'

export interface MemoryStore extends BackupStore {
  files: Map<string, StoredFile & { content: Buffer }>
  /** The store's clock, milliseconds since 1970. */
  clock: number
  /** Names whose removal is answered with `held`, though the list does not say so. */
  secretlyHeld: Set<string>
  /** Names in the order of their removal. */
  removals: string[]
  /** The list breaks off in the middle. */
  breakList: boolean
}

/** A store in memory with a clock of its own. */
export function memoryStore(clock = Date.parse('2026-01-01T02:00:00Z')): MemoryStore {
  const store: MemoryStore = {
    place: 'memory',
    files: new Map(),
    clock,
    secretlyHeld: new Set(),
    removals: [],
    breakList: false,
    async list() {
      if (store.breakList) throw new TerminalError('store_unavailable', 'The second page of the list did not come')
      return [...store.files.values()].map(({ name, bytes, modifiedAt, held }) => ({ name, bytes, modifiedAt, held }))
    },
    now: async () => new Date(store.clock),
    async begin(name) {
      const chunks: Buffer[] = []
      return {
        write: async (chunk) => void chunks.push(chunk),
        commit: () => store.put(name, Buffer.concat(chunks)),
        abort: async () => void chunks.splice(0),
      }
    },
    async put(name, content) {
      if (store.files.has(name)) throw new TerminalError('backup_exists', `${name} is there`)
      store.files.set(name, {
        name,
        content,
        bytes: content.length,
        modifiedAt: new Date(store.clock),
        held: false,
      })
    },
    async *read(name) {
      const file = store.files.get(name)
      if (file === undefined) throw new TerminalError('backup_missing', `${name} is not there`)
      yield file.content
    },
    async remove(name) {
      const file = store.files.get(name)
      if (file === undefined) return 'absent'
      if (file.held || store.secretlyHeld.has(name)) return 'held'
      store.files.delete(name)
      store.removals.push(name)
      return 'removed'
    },
    async hold(name, on) {
      const file = store.files.get(name)
      if (file !== undefined) file.held = on
    },
  }
  return store
}
