/** What stands at a path, as the user means it. */
export type KindOf = (path: string) => 'file' | 'folder' | undefined

/**
 * Makes `--file a.csv --file b.csv` of `--file a.csv b.csv`, which is what a shell makes of `--file *.csv`: the words
 * behind `--file F` that name files belong to it, and folders among them are left out. A goal may follow all the same,
 * unless it is the name of a file.
 */
export function spreadFiles(words: readonly string[], kindOf: KindOf): string[] {
  const spread: string[] = []
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string
    if (word === '--') return [...spread, ...words.slice(at)]
    spread.push(word)
    if (word !== '--file' || at + 1 >= words.length) continue
    const end = endOfPaths(words, at + 2, kindOf)
    const paths = words.slice(at + 1, end)
    const files = paths.length === 1 ? paths : paths.filter((path) => kindOf(path) !== 'folder')
    spread.push(...(files.length === 0 ? paths.slice(0, 1) : files).flatMap((path) => ['--file', path]).slice(1))
    at = end - 1
  }
  return spread
}

function endOfPaths(words: readonly string[], from: number, kindOf: KindOf): number {
  let end = from
  while (end < words.length && !words[end]?.startsWith('-') && kindOf(words[end] as string) !== undefined) end += 1
  return end
}
