import { TerminalError } from '../../domain/errors.ts'
import { byAge, stateOf, type KnownBackup } from '../known-backup.ts'
import type { Manifest } from '../manifest.ts'
import { parseFileName, type BackupName } from '../name.ts'
import { readManifest } from '../read-manifest.ts'
import type { BackupStore, StoredFile } from '../store/store.ts'

/** Manifests that are read at once. One has some kilobytes, and a month of daily backups has 30 of them. */
const AT_ONCE = 8
interface Files {
  name: BackupName
  data: StoredFile[]
  manifest: StoredFile | undefined
}

/** What a manifest's file says; `gone`: it was removed since the listing. */
type Read = { manifest: Manifest } | { problem: string } | 'gone'

/**
 * All backups of a store, the oldest first, and what is left of others. Whatever is wrong with one is said with it
 * (`damaged`, `incomplete`); none is passed over. Throws TerminalError `store_unavailable` or `store_refused` where the store
 * can't be read, also in the middle: half a list is no list.
 */
export async function listBackups(store: BackupStore): Promise<KnownBackup[]> {
  const groups = byName(await store.list())
  const known: KnownBackup[] = []
  for (let from = 0; from < groups.length; from += AT_ONCE) {
    const some = groups.slice(from, from + AT_ONCE).map((files) => describe(store, files))
    known.push(...(await Promise.all(some)).flat())
  }
  return known.sort(byAge)
}

function byName(files: readonly StoredFile[]): Files[] {
  const groups = new Map<BackupName, Files>()
  for (const file of files) {
    const parsed = parseFileName(file.name)
    if (parsed === undefined) continue
    const group: Files = groups.get(parsed.name) ?? { name: parsed.name, data: [], manifest: undefined }
    groups.set(parsed.name, group)
    if (parsed.part === 'data') group.data.push(file)
    else group.manifest = file
  }
  return [...groups.values()]
}

async function describe(store: BackupStore, { name, data, manifest }: Files): Promise<KnownBackup[]> {
  const read = manifest === undefined ? 'gone' : await tryManifest(store, name)
  if (manifest === undefined || read === 'gone') return data.map((file) => withoutManifest(name, file))
  const own = 'manifest' in read ? data.find((file) => file.name === read.manifest.file) : data[0]
  // The other file of a name that has both an encrypted and a plain one belongs to no manifest.
  const strays = data.filter((file) => file !== own).map((file) => withoutManifest(name, file))
  return [withManifest(name, own, manifest, read), ...strays]
}

function withManifest(
  name: BackupName,
  data: StoredFile | undefined,
  file: StoredFile,
  read: Exclude<Read, 'gone'>,
): KnownBackup {
  const manifest = 'manifest' in read ? read.manifest : undefined
  const base = {
    name,
    file: data?.name ?? manifest?.file ?? '',
    bytes: data?.bytes ?? 0,
    createdAt: (data ?? file).modifiedAt,
    held: file.held || data?.held === true,
    hasManifest: true,
    manifest,
  }
  if (data === undefined) return { ...base, state: 'incomplete', problem: 'its data is missing' }
  if ('problem' in read) return { ...base, state: 'damaged', problem: read.problem }
  const { stored, contents } = read.manifest
  if (data.bytes !== stored.bytes) {
    const problem = `its data has ${data.bytes} bytes, and its manifest says ${stored.bytes}`
    return { ...base, state: 'damaged', problem }
  }
  const state = stateOf(read.manifest)
  return { ...base, state, problem: state === 'verified' ? undefined : whyUnverified(contents) }
}

function whyUnverified({ missing, drift }: Manifest['contents']): string {
  if (missing.length > 0) return `NOT ALL DATA IS IN IT: ${missing.join('; ')}`
  return `its schema differed from its revision's in ${drift.length} lines`
}

function withoutManifest(name: BackupName, data: StoredFile): KnownBackup {
  return {
    name,
    file: data.name,
    bytes: data.bytes,
    createdAt: data.modifiedAt,
    held: data.held,
    hasManifest: false,
    manifest: undefined,
    state: 'incomplete',
    problem: 'it has no manifest: its run died, or is under way',
  }
}

async function tryManifest(store: BackupStore, name: BackupName): Promise<Read> {
  try {
    return { manifest: await readManifest(store, name) }
  } catch (error) {
    if (error instanceof TerminalError && error.code === 'backup_missing') return 'gone'
    if (error instanceof TerminalError && error.code === 'manifest_damaged') return { problem: error.message }
    throw error
  }
}
