import { inflateRawSync } from 'node:zlib'
import { TerminalError } from '../../../src/domain/errors.ts'

/** One file of a zip that `zip` made; undefined where it has none of that name. Throws TerminalError `package_damaged`. */
export function readZipEntry(file: Buffer, wanted: string): Buffer | undefined {
  const end = file.lastIndexOf(Buffer.from('PK\x05\x06'))
  if (end < 0) throw new TerminalError('package_damaged', 'The package is no zip file.')
  let at = file.readUInt32LE(end + 16)
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extra, comment] = [
      file.readUInt16LE(at + 28),
      file.readUInt16LE(at + 30),
      file.readUInt16LE(at + 32),
    ]
    const name = file.toString('utf8', at + 46, at + 46 + nameLength)
    if (name === wanted) return inflate(file, file.readUInt32LE(at + 42), file.readUInt32LE(at + 20))
    at += 46 + nameLength + extra + comment
  }
  return undefined
}

function inflate(file: Buffer, local: number, packed: number): Buffer {
  const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28)
  return inflateRawSync(file.subarray(start, start + packed))
}
