import { createHash } from 'node:crypto'
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
const OUT_BYTES = 512 * 1024
/**
 * A write costs the compressor a trip to another thread, on which it is the slowest part, so that small ones are gathered: with
 * blocks of 128 KiB and an eighth of the output a dump took 1.1 times as long on two cores. Into blocks that are used again: what
 * is allocated outside of its heap drives V8's collector, which was a fifth of a dump's CPU.
 */
const BLOCK_BYTES = 2 * 1024 * 1024
/** One is compressed, one waits, and one is filled. */
const BLOCKS = 3
const OPTIONS: ZstdOptions = { params: PARAMS, chunkSize: OUT_BYTES }

/**
 * Compresses to exactly one zstd frame and, with a key, encrypts that.
 * @param write takes the stored bytes in order, and is waited for
 * @param dataKey 32 bytes, for this file alone
 */
export function createEncoder(write: (chunk: Buffer) => Promise<void>, dataKey?: Buffer): Encoder {
  const compress = createZstdCompress(OPTIONS)
  const hash = createHash('sha256')
  let bytes = 0
  const free: Buffer[] = []
  let made = 0
  let block: Buffer | undefined
  let filled = 0
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
  async function freeBlock(): Promise<Buffer> {
    for (;;) {
      if (failure !== undefined) throw failure.error
      const next = free.pop()
      if (next !== undefined) return next
      if (made++ < BLOCKS) return Buffer.allocUnsafeSlow(BLOCK_BYTES)
      made = BLOCKS
      room = Promise.withResolvers()
      await room.promise
    }
  }

  function flush(): void {
    const full = block
    if (full === undefined) return
    compress.write(full.subarray(0, filled), () => {
      free.push(full)
      room?.resolve()
    })
    ;[block, filled] = [undefined, 0]
  }

  return {
    async write(chunk) {
      if (failure !== undefined) throw failure.error
      for (let at = 0; at < chunk.length;) {
        block ??= await freeBlock()
        const taken = chunk.copy(block, filled, at)
        at += taken
        filled += taken
        if (filled === BLOCK_BYTES) flush()
      }
    },
    async end() {
      if (failure !== undefined) throw failure.error
      flush()
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
