/** Words that other products put into the same names, or leave out. */
const NOISE = new Set(['API', 'NAME', 'SERVICE', 'ADMIN', 'QUERY', 'CHAT', ''])
const SAME = new Map([
  ['URI', 'URL'],
  ['BASE', 'URL'],
  ['HOST', 'URL'],
  ['ENDPOINT', 'URL'],
  ['APIKEY', 'KEY'],
])
/** Names of this length may differ in two letters, shorter ones in one. */
const LONG = 12
/** Shorter ones, such as AUTH, are near too many others. */
const SHORTEST = 8

export interface LookAlike {
  name: string
  meant: string
}

/** Names that are no setting but close to one that is not set: a misspelt one, or the habit of another product. */
export function findLookAlikes(names: Iterable<string>, settings: readonly string[]): LookAlike[] {
  const present = new Set(names)
  const missing = settings.filter((setting) => !present.has(setting))
  return [...present]
    .filter((name) => !settings.includes(name))
    .flatMap((name) => {
      const meant = closest(name, missing)
      return meant === undefined ? [] : [{ name, meant }]
    })
    .sort((a, b) => a.name.localeCompare(b.name))
}

function closest(name: string, settings: readonly string[]): string | undefined {
  const same = settings.find((setting) => letters(setting) === letters(name))
  if (same !== undefined) return same
  const shape = shapeOf(name)
  const alike = settings.find((setting) => setting.length >= SHORTEST && shapeOf(setting) === shape)
  if (alike !== undefined) return alike
  return settings.find((setting) => {
    if (setting.length < SHORTEST) return false
    return editDistance(letters(setting), letters(name)) <= (setting.length >= LONG ? 2 : 1)
  })
}

function letters(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '')
}

/** The words that carry the meaning, in any order: AZURE_SEARCH_ADMIN_KEY and AZURE_SEARCH_API_KEY have the same. */
function shapeOf(name: string): string {
  const words = name.toUpperCase().split(/[^A-Z0-9]+/)
  const telling = words.filter((word) => !NOISE.has(word)).map((word) => SAME.get(word) ?? word)
  return [...new Set(telling)].sort().join(' ')
}

/** Levenshtein's: insertions, deletions and replacements of one letter. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (const [i, letter] of a.split('').entries()) {
    const next = [i + 1]
    for (const [j, other] of b.split('').entries()) {
      const replaced = (row[j] ?? 0) + (letter === other ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
