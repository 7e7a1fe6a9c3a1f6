/** Where the manifest of a backup's file is, as `backup -- download` writes it: `X.sql.zst` has `X.manifest.json`. */
export function manifestBeside(file: string): string {
  return `${file.replace(/\.sql\.zst(\.enc)?$/, '')}.manifest.json`
}
