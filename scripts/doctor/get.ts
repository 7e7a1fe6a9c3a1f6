/** More than the longest list of models, 1 MB at OpenRouter. */
const MOST_BYTES = 8_000_000

export interface Answer {
  status: number
  /** Undefined where it is no JSON. */
  body: unknown
}

/** Gets a JSON document. Follows no redirect: a key goes nowhere but where it was meant to go. Throws what fetch throws. */
export async function getJson(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { headers: { accept: 'application/json', ...headers }, redirect: 'manual', signal })
  return { status: response.status, body: tryJson(await readText(response)) }
}

async function readText(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of response.body ?? []) {
    bytes += part.length
    if (bytes > MOST_BYTES) return ''
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
