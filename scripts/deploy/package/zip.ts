import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  /** With forward slashes. */
  name: string
  bytes: Uint8Array
}

/** 1 January 1980, the earliest that a zip knows: the same files give the same bytes, and so the same hash. */
const DOS_DATE = 0x21
const DEFLATE = 8
const UTF8 = 0x800
/** Of a regular file that all may read. */
const UNIX_MODE = (0o100644 << 16) >>> 0

/** A zip file of what is given, in the order of names. No entry, and not the whole, may pass 4 GB. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, bytes } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = Buffer.from(name)
    const packed = deflateRawSync(bytes, { level: 9 })
    const fields = commonFields(bytes, packed.length, path.length)
    const local = Buffer.concat([uint32(0x04034b50), fields, path, packed])
    const head = [uint32(0x02014b50), uint16((3 << 8) | 20), fields]
    const attributes = [uint16(0), uint16(0), uint16(0), uint32(UNIX_MODE), uint32(offset)]
    directory.push(Buffer.concat([...head, ...attributes, path]))
    parts.push(local)
    offset += local.length
  }
  const index = Buffer.concat(directory)
  const count = uint16(directory.length)
  const end = [uint32(0x06054b50), uint16(0), uint16(0), count, count, uint32(index.length), uint32(offset), uint16(0)]
  return Buffer.concat([...parts, index, ...end])
}

/** What the two headers of an entry have in common; an extra field there is none. */
function commonFields(bytes: Uint8Array, packed: number, path: number): Buffer {
  const how = [uint16(20), uint16(UTF8), uint16(DEFLATE), uint16(0), uint16(DOS_DATE)]
  const sizes = [uint32(crc32(bytes)), uint32(packed), uint32(bytes.length), uint16(path), uint16(0)]
  return Buffer.concat([...how, ...sizes])
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeUInt16LE(value)
  return buffer
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}
