import { createHash } from 'node:crypto'

/** Of a file as it lies in a store. */
export interface StoredHash {
  bytes: number
  /** Hex. */
  sha256: string
}

export interface TappedChunks {
  chunks: AsyncGenerator<Buffer>
  /** Throws where `chunks` have not been read to their end: the hash of a part proves nothing. */
  result(): StoredHash
}

/** Hashes chunks on their way to somebody else, so that a read-back decodes and hashes in one pass. */
export function tapHash(chunks: AsyncIterable<Buffer>): TappedChunks {
  const hash = createHash('sha256')
  let bytes = 0
  let result: StoredHash | undefined
  async function* tap(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      yield chunk
    }
    result = { bytes, sha256: hash.digest('hex') }
  }
  return {
    chunks: tap(),
    result() {
      if (result === undefined) throw new Error('The hash of chunks that were not read to their end was asked for')
      return result
    },
  }
}

/** Reads all chunks and keeps none. Throws what they throw. */
export async function hashStored(chunks: AsyncIterable<Buffer>): Promise<StoredHash> {
  const tapped = tapHash(chunks)
  for await (const _ of tapped.chunks);
  return tapped.result()
}
