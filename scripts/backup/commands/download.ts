import { createHash, randomBytes } from 'node:crypto'
import { link, open as openFile, rm, writeFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { openDataKey } from '../../../src/backup/codec/data-key.ts'
import { decode } from '../../../src/backup/codec/decode.ts'
import { createEncoder } from '../../../src/backup/codec/encode.ts'
import { encodeManifest } from '../../../src/backup/manifest.ts'
import { manifestBeside } from '../../../src/backup/restore/manifest-beside.ts'
import { verifyBackup } from '../../../src/backup/verify-backup.ts'
import { TerminalError } from '../../../src/domain/errors.ts'
import { size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

interface Options extends SharedOptions {
  to?: string
}

/**
 * Verifies a backup and copies it to a file, of which nothing is there before all of it is; its manifest goes beside it. An
 * encrypted one is written without its encryption, so that `zstd` and `psql` can read it.
 */
export async function downloadBackup(context: Context, options: Options, name: string): Promise<number> {
  const { main } = open({ ...options, database: false }, context)
  const found = await findBackup(main, name)
  const manifest = await verifyBackup(main, found.name)
  const { file, stored } = manifest
  const to = resolve(context.cwd, options.to ?? '')
  const written = await writeWhole(to, async (write) => {
    if (stored.encryption === undefined) return copy(main.read(file), write)
    const encoder = createEncoder(write)
    for await (const chunk of decode(main.read(file), await openDataKey(stored.encryption))) await encoder.write(chunk)
    return encoder.end()
  })
  const beside = manifestBeside(to)
  await writeFile(beside, encodeManifest({ ...manifest, file: basename(to), stored: { ...written, codec: 'zstd' } }), {
    mode: 0o600,
  })
  if (options.json) context.terminal.json({ name: found.name, path: to, bytes: written.bytes })
  else context.terminal.print([`${to}  ${size(written.bytes)}`, beside, `Restore it with: npm run restore -- ${to}`])
  return EXIT.done
}

interface Written {
  bytes: number
  sha256: string
}

async function copy(chunks: AsyncIterable<Buffer>, write: (chunk: Buffer) => Promise<void>): Promise<Written> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of chunks) {
    hash.update(chunk)
    bytes += chunk.length
    await write(chunk)
  }
  return { bytes, sha256: hash.digest('hex') }
}

async function writeWhole(
  to: string,
  work: (write: (chunk: Buffer) => Promise<void>) => Promise<Written>,
): Promise<Written> {
  const part = `${to}.${randomBytes(4).toString('hex')}.part`
  const handle = await openFile(part, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new TerminalError('file_not_written', `${to} can't be written (${error.code ?? 'unknown error'}).`)
  })
  try {
    const written = await work(async (chunk) => void (await handle.write(chunk)))
    await handle.sync()
    await link(part, to).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? exists(to) : error
    })
    return written
  } finally {
    await handle.close()
    await rm(part, { force: true })
  }
}

function exists(path: string): TerminalError {
  return new TerminalError('file_exists', `${path} is there already, and nothing is written over it.`, {
    hint: 'Give another name with --to, or remove it first.',
  })
}
