/** A file of a store. */
export interface StoredFile {
  name: string
  bytes: number
  /** By the store's own clock. */
  modifiedAt: Date
  /** It must not be removed, by somebody's word (a legal hold) or by a policy that has not run out. */
  held: boolean
}

/** A file on its way into a store: nobody sees it before `commit`. */
export interface PendingFile {
  /** In order; waits until there is room. */
  write(chunk: Buffer): Promise<void>
  /** Makes all of it visible at once. Throws TerminalError `backup_exists` where there is a file of that name. */
  commit(): Promise<void>
  /** Leaves nothing behind, as far as the store lets that be known; never throws. */
  abort(): Promise<void>
}

/**
 * Where backups lie: a folder, or a blob container. Every method gives up by itself when the store does not answer, and throws
 * TerminalError `store_unavailable` or `store_refused` with what to do, without secrets of its address.
 */
export interface BackupStore {
  /** For people: a path, or an address without its signature. */
  readonly place: string
  /** All files, in no order; those of others too. */
  list(): Promise<StoredFile[]>
  /** The store's clock: what ages are measured with. */
  now(): Promise<Date>
  begin(name: string): Promise<PendingFile>
  /** A small file at once, under the same rules. */
  put(name: string, bytes: Buffer): Promise<void>
  /** Chunks of the file; ends early with an error only. Throws TerminalError `backup_missing` where there is none. */
  read(name: string): AsyncIterable<Buffer>
  /** `held`: it must not be removed, and is still there. */
  remove(name: string): Promise<'removed' | 'held' | 'absent'>
  /** Sets or clears a hold. Throws TerminalError `hold_unsupported` where the store has none. */
  hold(name: string, on: boolean): Promise<void>
}
