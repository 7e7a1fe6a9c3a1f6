import { isChanged, isNotFound } from './blob-errors.ts'
import type { ContainerAccess } from './container-access.ts'
import { backupMissing, changedWhileRead } from './store-errors.ts'

/** Asked for at once, and one more ahead while the reader works: 4 MiB in all. */
const RANGE_BYTES = 2 * 1024 * 1024
const PIECE_BYTES = 256 * 1024

/**
 * A blob by ranges, all of the version that the first one came from. A range that breaks off goes on where it broke off; what can't be
 * had in the end is an error, and never an early end.
 */
export async function* readBlob(access: ContainerAccess, name: string): AsyncGenerator<Buffer> {
  const stop = new AbortController()
  try {
    const version = await readVersion(access, name)
    const range = (at: number) => {
      const upcoming = readRange(access, name, version.etag, at, Math.min(RANGE_BYTES, version.bytes - at), stop.signal)
      // It is awaited later, or by nobody where the reader stops.
      upcoming.catch(() => undefined)
      return upcoming
    }
    let ahead = version.bytes > 0 ? range(0) : undefined
    for (let at = RANGE_BYTES; ahead !== undefined; at += RANGE_BYTES) {
      const bytes: Buffer = await ahead
      ahead = at < version.bytes ? range(at) : undefined
      for (let from = 0; from < bytes.length; from += PIECE_BYTES) yield bytes.subarray(from, from + PIECE_BYTES)
    }
  } catch (error) {
    if (isNotFound(error)) throw backupMissing(access.place, name)
    if (isChanged(error)) throw changedWhileRead(access.place, name)
    throw access.explain(error)
  } finally {
    stop.abort()
  }
}

async function readVersion(
  access: ContainerAccess,
  name: string,
): Promise<{ bytes: number; etag: string | undefined }> {
  const { contentLength, etag } = await access.ask((container, abortSignal) =>
    container.getBlobClient(name).getProperties({ abortSignal }),
  )
  if (contentLength === undefined) throw new Error('The storage does not say how long the blob is')
  return { bytes: contentLength, etag }
}

async function readRange(
  access: ContainerAccess,
  name: string,
  etag: string | undefined,
  at: number,
  length: number,
  stop: AbortSignal,
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  let filled = 0
  await access.ask(async (container, signal) => {
    if (filled === length) return
    const { readableStreamBody: body } = await container.getBlobClient(name).download(at + filled, length - filled, {
      conditions: { ifMatch: etag },
      maxRetryRequests: 0,
      abortSignal: signal,
    })
    if (body === undefined) throw new Error('The storage answers without a body')
    for await (const piece of body as AsyncIterable<Buffer>) {
      // Of an attempt that was given up: its place in the range is another's now.
      signal.throwIfAborted()
      if (filled + piece.length > length) throw new Error('The storage sends more than it was asked for')
      filled += piece.copy(bytes, filled)
    }
    if (filled < length) throw new Error('The storage ends its answer early')
  }, stop)
  return bytes
}
