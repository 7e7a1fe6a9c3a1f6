import { pipeline, Readable } from 'node:stream'
import { constants, createZstdDecompress } from 'node:zlib'
import { TerminalError } from '../../domain/errors.ts'
import { damaged } from './damaged.ts'
import { decrypt, looksEncrypted } from './encrypt.ts'
import { singleFrame } from './single-frame.ts'

/** 8 MiB; level 3 looks back over 2. A flipped bit of the header must not ask for the 128 MiB of the default. */
const WINDOW_LOG_MAX = 23
const OUT_BYTES = 128 * 1024

/**
 * The plain text of a stored file, in constant memory. Throws TerminalError `backup_damaged` wherever the file is not one that
 * the encoder wrote whole, at the latest in place of its end: what was given until then must be undone. Throws `key_unavailable`
 * where the file is encrypted and no key came with it, and whatever `chunks` throw.
 * @param dataKey what the file was encrypted with; absent: it was not
 */
export async function* decode(chunks: AsyncIterable<Buffer>, dataKey?: Buffer): AsyncGenerator<Buffer> {
  let failure: { error: unknown } | undefined
  async function* compressed(): AsyncGenerator<Buffer> {
    try {
      yield* singleFrame(dataKey === undefined ? refuseEncrypted(chunks) : decrypt(chunks, dataKey))
    } catch (error) {
      failure = { error }
      throw error
    }
  }
  const decompress = createZstdDecompress({
    params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG_MAX },
    chunkSize: OUT_BYTES,
  })
  // Its errors come out of the iteration below.
  pipeline(Readable.from(compressed()), decompress, () => undefined)
  try {
    for await (const chunk of decompress) yield chunk as Buffer
  } catch (error) {
    if (failure !== undefined) throw failure.error
    throw damaged('it does not decompress', error)
  }
}

async function* refuseEncrypted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true
  for await (const chunk of chunks) {
    if (first && looksEncrypted(chunk))
      throw new TerminalError('key_unavailable', 'The backup is encrypted, and no key came with it.', {
        hint: 'Restore it by its name, so that its manifest tells which key of Key Vault opens it.',
      })
    first = false
    yield chunk
  }
}
