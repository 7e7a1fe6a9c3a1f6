import { createHash } from 'node:crypto'
import type { TransformOptions } from 'node:stream'
import { constants, createZstdCompress, zstdDecompressSync, type ZstdOptions } from 'node:zlib'
import { createEncryptor } from './encrypt.ts'
import { createFrameWalk } from './frame-walk.ts'
import type { StoredHash } from './hash-stored.ts'

/** Plain text in, stored bytes out. */
export interface Encoder {
  /** In order; waits until there is room. Throws what `write` of the encoder's maker threw. */
  write(chunk: Buffer): Promise<void>
  /** Resolves when the last stored byte was written; what was stored in all. */
  end(): Promise<StoredHash>
  /** Ends it wherever it is; nothing more is written after what is on its way. */
  destroy(): void
}

/**
 * Level 3 is 11 % smaller than gzip 6 for a third of the CPU. The checksum is off in Node by default, and without it 75 % of
 * flipped bits decode without an error. No workers: with them the stream stalls (node#59899).
 */
const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 }
const OUT_BYTES = 128 * 1024
/** A write costs the compressor a trip to another thread; small ones are gathered up to this. */
const GATHER_BYTES = 128 * 1024
/** Plain text that waits for the compressor, so that it works while the next rows come. */
const AHEAD_BYTES = 1024 * 1024
const OPTIONS: ZstdOptions & TransformOptions = {
  params: PARAMS,
  chunkSize: OUT_BYTES,
  writableHighWaterMark: AHEAD_BYTES,
}

/**
 * Compresses to exactly one zstd frame and, with a key, encrypts that.
 * @param write takes the stored bytes in order, and is waited for
 * @param dataKey 32 bytes, for this file alone
 */
export function createEncoder(write: (chunk: Buffer) => Promise<void>, dataKey?: Buffer): Encoder {
  const compress = createZstdCompress(OPTIONS)
  const hash = createHash('sha256')
  let bytes = 0
  let gathered: Buffer[] = []
  let gatheredBytes = 0
  let failure: { error: unknown } | undefined
  let room: PromiseWithResolvers<void> | undefined

  async function store(chunk: Buffer): Promise<void> {
    hash.update(chunk)
    bytes += chunk.length
    await write(chunk)
  }

  async function storeAll(): Promise<void> {
    const encryptor = dataKey === undefined ? undefined : createEncryptor(dataKey, store)
    const frames = firstFrame(compress as AsyncIterable<Buffer>)
    for await (const chunk of frames) await (encryptor?.write(chunk) ?? store(chunk))
    await encryptor?.end()
  }

  const stored = storeAll()
  stored.catch((error: unknown) => {
    failure = { error }
    compress.destroy()
    room?.reject(error)
  })
  compress.on('drain', () => room?.resolve())

  async function flush(): Promise<void> {
    if (failure !== undefined) throw failure.error
    const chunk = gathered.length === 1 ? gathered[0] : Buffer.concat(gathered)
    gathered = []
    gatheredBytes = 0
    if (compress.write(chunk)) return
    room = Promise.withResolvers()
    await room.promise
  }

  return {
    async write(chunk) {
      gathered.push(chunk)
      gatheredBytes += chunk.length
      if (gatheredBytes >= GATHER_BYTES) await flush()
    },
    async end() {
      if (gatheredBytes > 0) await flush()
      compress.end()
      await stored
      return { bytes, sha256: hash.digest('hex') }
    },
    destroy: () => void compress.destroy(),
  }
}

/**
 * Without the empty frame of 13 bytes that Node adds where the last text was still under way at the end, and where the frame
 * fills its last piece of output to the byte (node#66078; seen at 5 of 300 lengths with pieces of 64 bytes).
 */
async function* firstFrame(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const walk = createFrameWalk()
  const extra: Buffer[] = []
  for await (const chunk of chunks) {
    const own = walk.pass(chunk)
    if (own > 0) yield chunk.subarray(0, own)
    if (own < chunk.length) extra.push(chunk.subarray(own))
  }
  if (extra.length > 0 && zstdDecompressSync(Buffer.concat(extra)).length > 0)
    throw new Error('Node has compressed to more than one frame')
}
