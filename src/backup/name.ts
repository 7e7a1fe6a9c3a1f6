/** What a backup is called: `taskforce_backup_20261129_020000`, of the moment of its snapshot in UTC. */
export type BackupName = string

const PATTERN = /^taskforce_backup_\d{8}_\d{6}$/

/** Of a moment; two backups of one second have one name, and the second one is refused by the store. */
export function backupName(at: Date): BackupName {
  const digits = at.toISOString().replaceAll(/[-:]/g, '')
  return `taskforce_backup_${digits.slice(0, 8)}_${digits.slice(9, 15)}`
}

export function isBackupName(text: string): boolean {
  return PATTERN.test(text)
}

/** The file with the data: plain SQL, compressed; with `.enc`, encrypted after that. */
export function dataFile(name: BackupName, encrypted: boolean): string {
  return `${name}.sql.zst${encrypted ? '.enc' : ''}`
}

export function manifestFile(name: BackupName): string {
  return `${name}.manifest.json`
}

/** The backup that a file of the store belongs to, and what it is of it; undefined for any other file. */
export function parseFileName(file: string): { name: BackupName; part: 'data' | 'manifest' } | undefined {
  const [, name, ending] = /^(taskforce_backup_\d{8}_\d{6})\.(sql\.zst|sql\.zst\.enc|manifest\.json)$/.exec(file) ?? []
  if (name === undefined) return undefined
  return { name, part: ending === 'manifest.json' ? 'manifest' : 'data' }
}
