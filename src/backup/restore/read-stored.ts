import { createHash } from 'node:crypto'
import type { StoredHash } from '../codec/hash-stored.ts'

/** A stored file on its way through a restore. */
export interface StoredStream {
  /** To be read once; who stops early leaves the rest to `rest`. */
  chunks: AsyncIterable<Buffer>
  /** Reads what was left, and gives the hash of the whole file. */
  rest(): Promise<StoredHash>
  /** No more is wanted. */
  close(): Promise<void>
}

/**
 * Hashes a stored file as it is read. Other than with a plain tap, whoever fails in the middle can still ask whether the file
 * itself was the one that it should be.
 * @param onProgress called with the bytes read so far
 */
export function readStored(chunks: AsyncIterable<Buffer>, onProgress: (bytes: number) => void): StoredStream {
  const source = chunks[Symbol.asyncIterator]()
  const hash = createHash('sha256')
  let bytes = 0
  let isRead = false
  async function next(): Promise<IteratorResult<Buffer, undefined>> {
    const result = await source.next()
    if (result.done === true) {
      isRead = true
      return { done: true, value: undefined }
    }
    hash.update(result.value)
    bytes += result.value.length
    onProgress(bytes)
    return { done: false, value: result.value }
  }
  return {
    // Without `return`, which would close the source.
    chunks: { [Symbol.asyncIterator]: () => ({ next }) },
    async rest() {
      while (!isRead) await next()
      return { bytes, sha256: hash.copy().digest('hex') }
    },
    close: async () => void (await source.return?.()),
  }
}
