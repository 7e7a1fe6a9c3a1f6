import { createHash } from 'node:crypto'
import { z } from 'zod'
import { TerminalError } from '../domain/errors.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)

const tableSchema = z.strictObject({
  /** Without the schema, unquoted: `missions`. */
  name: z.string(),
  columns: z.array(z.string()),
  rows: count,
  /** Of the lines between the COPY statement and its `\.`, and so are `bytes`. */
  sha256,
  bytes: count,
})

const sequenceSchema = z.strictObject({
  name: z.string(),
  /** As text: a bigint. */
  lastValue: z.string().regex(/^-?\d+$/),
  isCalled: z.boolean(),
})

const contentsSchema = z.strictObject({
  snapshotAt: z.iso.datetime(),
  /** The newest migration in it, and the oldest code that works with it. */
  revision: count,
  minCode: count,
  migrations: z.array(z.strictObject({ revision: count, name: z.string(), sha256 })),
  server: z.strictObject({ version: z.string(), walPosition: z.string().optional() }),
  /** What is in the database and not in this backup, in words; empty: all of it is here. */
  missing: z.array(z.string()),
  /** How the live schema differed from what its revision's sections make, by lines; empty: not at all. */
  drift: z.array(z.string()),
  tables: z.array(tableSchema),
  sequences: z.array(sequenceSchema),
  /** Of all the plain SQL; the hash is of what stands around the rows, which have their tables' own. */
  plain: z.strictObject({ bytes: count, textSha256: sha256 }),
})

const encryptionSchema = z.strictObject({
  algorithm: z.literal('AES-256-GCM'),
  chunkBytes: z.int().min(1),
  /** The key of Key Vault, with its version, that wrapped the data key. */
  keyId: z.string(),
  wrapAlgorithm: z.literal('RSA-OAEP-256'),
  /** Base64. */
  wrappedKey: z.string(),
})

const bodySchema = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  /** The data's file in the store. */
  file: z.string(),
  contents: contentsSchema,
  stored: z.strictObject({
    bytes: count,
    sha256,
    codec: z.literal('zstd'),
    encryption: encryptionSchema.optional(),
  }),
  /** When the stored file was read again and found to be what was dumped. */
  readBackAt: z.iso.datetime(),
  /** Of the database: it counts how often it was restored. */
  generation: count,
  version: z.string(),
})

/** What a dump found and wrote. */
export type DumpContents = z.infer<typeof contentsSchema>
export type DumpedTable = z.infer<typeof tableSchema>
export type DumpedSequence = z.infer<typeof sequenceSchema>
export type Encryption = z.infer<typeof encryptionSchema>

/** What makes a backup exist: written last, never changed. */
export type Manifest = z.infer<typeof bodySchema>

/** Read back, nothing is missing from it, and its schema is the one that the sections make: what retention counts on, and drills restore. */
export function isVerified({ contents }: Manifest): boolean {
  return contents.missing.length === 0 && contents.drift.length === 0
}

/** The manifest's file. Its last member is the hash of everything before it, so that no bit of it can flip unseen. */
export function encodeManifest(manifest: Manifest): Buffer {
  const body = bodySchema.parse(manifest)
  return Buffer.from(withHash(body))
}

/** Throws TerminalError `manifest_damaged` for whatever `encodeManifest` would not write to the byte. */
export function decodeManifest(file: string, bytes: Buffer): Manifest {
  const damaged = (why: string) =>
    new TerminalError('manifest_damaged', `The manifest ${file} is damaged: ${why}. Its backup can't be trusted.`, {
      hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one.',
    })
  const parsed = fileSchema.safeParse(parseJson(bytes.toString('utf8')))
  if (!parsed.success) throw damaged('it is no manifest of this format')
  const { sha256: _, ...body } = parsed.data
  if (!Buffer.from(withHash(body)).equals(bytes)) throw damaged('its hash is not that of its text')
  return body
}

const fileSchema = bodySchema.extend({ sha256 })

function withHash(body: Manifest): string {
  const hash = createHash('sha256').update(JSON.stringify(body)).digest('hex')
  return `${JSON.stringify({ ...body, sha256: hash }, null, 2)}\n`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
