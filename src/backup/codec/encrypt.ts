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

  /** Piece by piece: as one, each MiB of a file would leave two more behind for the garbage collector. */
  async function seal(plain: Buffer[], last: boolean): Promise<void> {
    if (index === 0) await write(header)
    const cipher = createCipheriv(ALGORITHM, dataKey, nonceOf(header, index))
    cipher.setAAD(identity(header, index, last))
    index += 1
    for (const piece of plain) await write(cipher.update(piece))
    cipher.final()
    await write(cipher.getAuthTag())
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

  function open(from: Buffer, bytes: number, last: boolean): Buffer[] {
    if (bytes < TAG_BYTES) throw damaged('it ends early')
    const decipher = createDecipheriv(ALGORITHM, dataKey, nonceOf(from, index))
    decipher.setAAD(identity(from, index, last))
    index += 1
    const plain = waiting.take(bytes - TAG_BYTES).map((piece) => decipher.update(piece))
    decipher.setAuthTag(Buffer.concat(waiting.take(TAG_BYTES)))
    try {
      decipher.final()
    } catch {
      throw damaged('it was changed or cut off after it was encrypted, or this is another key than its own')
    }
    return plain
  }

  for await (const chunk of chunks) {
    waiting.add(chunk)
    if (header === undefined && waiting.bytes() >= HEADER_BYTES)
      header = readHeader(Buffer.concat(waiting.take(HEADER_BYTES)))
    if (header === undefined) continue
    while (waiting.bytes() > CHUNK_BYTES + TAG_BYTES) yield* open(header, CHUNK_BYTES + TAG_BYTES, false)
  }
  if (header === undefined) throw damaged('it ends early')
  yield* open(header, waiting.bytes(), true)
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

/** Bytes that come in pieces of any size, and are taken by number; none is copied. */
function createGathering() {
  const pieces: Buffer[] = []
  let bytes = 0
  return {
    bytes: () => bytes,
    add(piece: Buffer): void {
      pieces.push(piece)
      bytes += piece.length
    },
    take(count: number): Buffer[] {
      const taken: Buffer[] = []
      for (let missing = count; missing > 0;) {
        const piece = pieces.shift()
        if (piece === undefined) throw new Error('More bytes are taken than have come')
        const part = piece.subarray(0, missing)
        if (part.length < piece.length) pieces.unshift(piece.subarray(part.length))
        taken.push(part)
        missing -= part.length
      }
      bytes -= count
      return taken
    },
  }
}
