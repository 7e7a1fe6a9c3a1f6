import { randomUUID } from 'node:crypto'
import { TerminalError } from '../../domain/errors.ts'
import { isNotFound, saysExists } from './blob-errors.ts'
import type { ContainerAccess } from './container-access.ts'
import { backupExists } from './store-errors.ts'
import type { PendingFile } from './store.ts'

const BLOCK_BYTES = 4 * 1024 * 1024
const AT_ONCE = 4
/** Azure's limit for a blob: 195 GiB of our blocks. */
const MOST_BLOCKS = 50_000

/** Tells, after an answer that was lost, whose commit it was that made the blob. In lower case, as HTTP gives it back. */
const RUN_METADATA = 'taskforcerun'

/**
 * Uploads blocks that nobody sees until one list names them. Holds 20 MiB at most: four blocks under way, and one that fills.
 * Never the SDK's `uploadStream`, which commits what it has when its stream ends early.
 */
export function beginUpload(access: ContainerAccess, name: string): PendingFile {
  const run = randomUUID()
  const blocks = stageBlocks(access, name, run)
  let state: 'open' | 'tried' | 'committed' = 'open'

  return {
    write: (chunk) => blocks.write(chunk),
    async commit() {
      const ids = await blocks.finish()
      state = 'tried'
      try {
        await commitBlocks(access, name, run, ids)
      } catch (error) {
        await resolveCommit(access, name, run, error)
      }
      state = 'committed'
    },
    async abort() {
      if (state === 'committed') return
      await blocks.stop()
      // The storage drops uncommitted blocks after a week. A commit whose answer never came may have been done all the same.
      if (state === 'tried') await removeOwn(access, name, run).catch(() => undefined)
    },
  }
}

interface BlockStager {
  write(chunk: Buffer): Promise<void>
  /** Ids of all blocks, once all are there. */
  finish(): Promise<string[]>
  stop(): Promise<void>
}

function stageBlocks(access: ContainerAccess, name: string, run: string): BlockStager {
  const ids: string[] = []
  const underWay = new Set<Promise<void>>()
  const stopped = new AbortController()
  /** Blocks are used again: new ones would wait for the garbage collector, 4 MiB each. */
  const free: Buffer[] = []
  let block: Buffer | undefined
  let filled = 0
  let failure: TerminalError | undefined

  async function upload(bytes: Buffer, length: number, id: string): Promise<void> {
    try {
      await access.askToWrite(
        (container, signal) =>
          container.getBlockBlobClient(name).stageBlock(id, bytes.subarray(0, length), length, { abortSignal: signal }),
        stopped.signal,
      )
      free.push(bytes)
    } catch (error) {
      failure ??= access.explain(error)
      stopped.abort()
    }
  }

  async function send(): Promise<void> {
    if (block === undefined || filled === 0) return
    while (underWay.size >= AT_ONCE) await Promise.race(underWay)
    if (failure !== undefined) throw failure
    if (ids.length >= MOST_BLOCKS) throw tooLarge(access.place)
    // All ids of a blob have one length; with the run in them, two runs of one name never take each other's blocks.
    const id = Buffer.from(`${run}-${String(ids.length).padStart(6, '0')}`).toString('base64')
    ids.push(id)
    const upcoming = upload(block, filled, id).finally(() => underWay.delete(upcoming))
    underWay.add(upcoming)
    ;[block, filled] = [undefined, 0]
  }

  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (failure !== undefined) throw failure
        block ??= free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES)
        const taken = chunk.copy(block, filled, at)
        at += taken
        filled += taken
        if (filled === BLOCK_BYTES) await send()
      }
    },
    async finish() {
      await send()
      await Promise.all(underWay)
      free.length = 0
      if (failure !== undefined) throw failure
      return ids
    },
    async stop() {
      failure ??= new TerminalError('store_unavailable', `The upload to ${access.place} was given up.`)
      stopped.abort()
      await Promise.all(underWay)
    },
  }
}

async function commitBlocks(access: ContainerAccess, name: string, run: string, ids: string[]): Promise<void> {
  await access.askToWrite((container, signal) =>
    container.getBlockBlobClient(name).commitBlockList(ids, {
      conditions: { ifNoneMatch: '*' },
      metadata: { [RUN_METADATA]: run },
      blobHTTPHeaders: { blobContentType: name.endsWith('.json') ? 'application/json' : 'application/octet-stream' },
      abortSignal: signal,
    }),
  )
}

/**
 * A commit whose answer was lost is repeated, and then refused for what its own first try has made: the blob itself says whose
 * it is. Throws unless it is ours.
 */
async function resolveCommit(access: ContainerAccess, name: string, run: string, error: unknown): Promise<void> {
  const owner = await ownerOf(access, name).catch(() => undefined)
  if (owner?.run === run) return
  if (owner !== undefined || saysExists(error)) throw backupExists(access.place, name)
  throw access.explain(error)
}

/** Undefined where there is no such blob. */
async function ownerOf(
  access: ContainerAccess,
  name: string,
): Promise<{ run: string | undefined; etag: string | undefined } | undefined> {
  return access.ask(async (container, abortSignal) => {
    try {
      const { metadata, etag } = await container.getBlobClient(name).getProperties({ abortSignal })
      return { run: metadata?.[RUN_METADATA], etag }
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  })
}

async function removeOwn(access: ContainerAccess, name: string, run: string): Promise<void> {
  const owner = await ownerOf(access, name)
  if (owner?.run !== run) return
  await access.ask((container, abortSignal) =>
    container.getBlobClient(name).deleteIfExists({ conditions: { ifMatch: owner.etag }, abortSignal }),
  )
}

function tooLarge(place: string): TerminalError {
  return new TerminalError('backup_too_large', `A backup of more than 195 GiB has no room in one blob of ${place}.`)
}
