import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { TerminalError } from '../../domain/errors.ts'
import { damaged } from './damaged.ts'

/** Of the compressed text, in each chunk but the last, which has as many or fewer. */
export const CHUNK_BYTES = 1024 * 1024

const ALGORITHM = 'aes-256-gcm'
/** With the format's number as its last byte. */
const MAGIC = Buffer.from('TFCRYPT\x01', 'latin1')
const NONCE_BYTES = 12
const HEADER_BYTES = MAGIC.length + NONCE_BYTES
const TAG_BYTES = 16
const MOST_CHUNKS = 2 ** 32

export interface Encryptor {
  write(chunk: Buffer): Promise<void>
  /** Writes the last chunk, without which the file is known to be cut off. */
  end(): Promise<void>
}

/**
 * A file of chunks, `header (magic, random nonce) | (ciphertext, tag)…`. Each chunk's nonce is the file's with the chunk's number
 * in it, so none comes twice under a key; number, whether it is the last, and header are authenticated with it, so chunks can't be
 * left out, repeated, put in another order or taken from another file.
 * @param dataKey 32 bytes, for this file alone
 */
export function createEncryptor(dataKey: Buffer, write: (chunk: Buffer) => Promise<void>): Encryptor {
  const header = Buffer.concat([MAGIC, randomBytes(NONCE_BYTES)])
  const waiting = createGathering()
  let index = 0

  async function seal(plain: Buffer, last: boolean): Promise<void> {
    if (index === 0) await write(header)
    const cipher = createCipheriv(ALGORITHM, dataKey, nonceOf(header, index))
    cipher.setAAD(identity(header, index, last))
    index += 1
    await write(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]))
  }

  return {
    async write(chunk) {
      waiting.add(chunk)
      // One byte more than a chunk: only then it is known not to be the last.
      while (waiting.bytes() > CHUNK_BYTES) await seal(waiting.take(CHUNK_BYTES), false)
    },
    end: () => seal(waiting.take(waiting.bytes()), true),
  }
}

/** The other way. Gives no byte that was not authenticated; throws TerminalError `backup_damaged`. */
export async function* decrypt(chunks: AsyncIterable<Buffer>, dataKey: Buffer): AsyncGenerator<Buffer> {
  const waiting = createGathering()
  let header: Buffer | undefined
  let index = 0

  function open(from: Buffer, sealed: Buffer, last: boolean): Buffer {
    if (sealed.length < TAG_BYTES) throw damaged('it ends early')
    const decipher = createDecipheriv(ALGORITHM, dataKey, nonceOf(from, index))
    decipher.setAAD(identity(from, index, last))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    index += 1
    const plain = decipher.update(sealed.subarray(0, -TAG_BYTES))
    try {
      decipher.final()
    } catch {
      throw damaged('it was changed or cut off after it was encrypted, or this is another key than its own')
    }
    return plain
  }

  for await (const chunk of chunks) {
    waiting.add(chunk)
    if (header === undefined && waiting.bytes() >= HEADER_BYTES) header = readHeader(waiting.take(HEADER_BYTES))
    if (header === undefined) continue
    while (waiting.bytes() > CHUNK_BYTES + TAG_BYTES) yield open(header, waiting.take(CHUNK_BYTES + TAG_BYTES), false)
  }
  if (header === undefined) throw damaged('it ends early')
  yield open(header, waiting.take(waiting.bytes()), true)
}

/** Whether a file begins as an encrypted one does. */
export function looksEncrypted(beginning: Buffer): boolean {
  return beginning.subarray(0, MAGIC.length).equals(MAGIC)
}

function readHeader(bytes: Buffer): Buffer {
  if (!looksEncrypted(bytes)) throw damaged('it does not begin as an encrypted file does')
  return bytes
}

function nonceOf(header: Buffer, index: number): Buffer {
  if (index >= MOST_CHUNKS)
    throw new TerminalError('backup_too_large', 'An encrypted backup has room for 4 PiB, and this one has more.')
  const nonce = Buffer.from(header.subarray(MAGIC.length))
  nonce.writeUInt32BE((nonce.readUInt32BE(NONCE_BYTES - 4) ^ index) >>> 0, NONCE_BYTES - 4)
  return nonce
}

function identity(header: Buffer, index: number, last: boolean): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(index)
  bytes[4] = last ? 1 : 0
  return Buffer.concat([header, bytes])
}

/** Bytes that came in pieces of any size, taken in pieces of ours. */
function createGathering() {
  let pieces: Buffer[] = []
  let bytes = 0
  return {
    bytes: () => bytes,
    add(piece: Buffer): void {
      pieces.push(piece)
      bytes += piece.length
    },
    take(count: number): Buffer {
      const all = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces)
      pieces = count < all.length ? [all.subarray(count)] : []
      bytes -= count
      return all.subarray(0, count)
    },
  }
}
