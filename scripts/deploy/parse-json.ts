/** What a text says, to be parsed by a schema; undefined, which no schema here takes, where it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
