import { damaged } from './damaged.ts'

const MAGIC = 0xfd2fb528
const CHECKSUM_BYTES = 4
/** The header's dictionary id and content size, by the two-bit fields that name their lengths (RFC 8878, 3.1.1.1). */
const DICTIONARY_BYTES = [0, 1, 2, 4]
const CONTENT_SIZE_BYTES = [0, 2, 4, 8]
const RLE_BLOCK = 1
const RESERVED_BLOCK = 3

/** What comes next: bytes that are looked at, or a number of bytes that go by. */
type Expected = { look: number; follow: (bytes: Buffer) => Expected } | { skip: number; follow: () => Expected } | 'end'

/** Follows the structure of one zstd frame without decompressing it, so that its last byte is known. */
export interface FrameWalk {
  /** How many of the bytes, which come in order and in any pieces, are of the frame. Throws TerminalError `backup_damaged`. */
  pass(chunk: Buffer): number
  isOver(): boolean
}

export function createFrameWalk(): FrameWalk {
  let next: Expected = start()
  let looked = Buffer.alloc(0)
  let skipped = 0

  /** Gives how many of the bytes were expected as this. */
  function advance(expected: Exclude<Expected, 'end'>, bytes: Buffer): number {
    if ('skip' in expected) {
      const taken = Math.min(bytes.length, expected.skip - skipped)
      skipped += taken
      if (skipped === expected.skip) [next, skipped] = [expected.follow(), 0]
      return taken
    }
    const taken = Math.min(bytes.length, expected.look - looked.length)
    looked = Buffer.concat([looked, bytes.subarray(0, taken)])
    if (looked.length === expected.look) [next, looked] = [expected.follow(looked), Buffer.alloc(0)]
    return taken
  }

  return {
    pass(chunk) {
      let at = 0
      while (at < chunk.length && next !== 'end') at += advance(next, chunk.subarray(at))
      return at
    },
    isOver: () => next === 'end',
  }
}

function start(): Expected {
  return {
    look: 5,
    follow(bytes) {
      if (bytes.readUInt32LE(0) !== MAGIC) throw damaged('it does not begin as a compressed file does')
      return header(bytes[4] ?? 0)
    },
  }
}

function header(descriptor: number): Expected {
  const singleSegment = (descriptor & 0x20) !== 0
  const checksum = (descriptor & 0x04) !== 0
  const sizeCode = descriptor >> 6
  const contentSize = sizeCode === 0 && singleSegment ? 1 : (CONTENT_SIZE_BYTES[sizeCode] ?? 0)
  const skip = (singleSegment ? 0 : 1) + (DICTIONARY_BYTES[descriptor & 0x03] ?? 0) + contentSize
  return { skip, follow: () => block(checksum) }
}

function block(checksum: boolean): Expected {
  return {
    look: 3,
    follow(bytes) {
      const word = bytes.readUIntLE(0, 3)
      const type = (word >> 1) & 0x03
      if (type === RESERVED_BLOCK) throw damaged('a block is of a kind that nobody writes')
      const after = (word & 1) === 0 ? block(checksum) : trailer(checksum)
      const size = type === RLE_BLOCK ? 1 : word >> 3
      return size === 0 ? after : { skip: size, follow: () => after }
    },
  }
}

function trailer(checksum: boolean): Expected {
  return checksum ? { skip: CHECKSUM_BYTES, follow: (): Expected => 'end' } : 'end'
}
