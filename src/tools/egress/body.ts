import type { Response } from 'undici'
import { TerminalError } from '../../domain/errors.ts'

/** Types that are text: HTML, XML, JSON, feeds, and whatever else calls itself text. */
const TEXT_TYPE = /^(?:text\/[\w.+-]+|application\/(?:json|xml|xhtml\+xml|[\w.-]+\+(?:json|xml)))$/

/**
 * The body of an answer as text, decoded by its charset (UTF-8 where none is known). TerminalError `not_text` for other
 * content types, `too_large` past `maxBytes` after decompression: a kilobyte of gzip can hold a megabyte.
 */
export async function readText(
  response: Response,
  url: string,
  maxBytes: number,
): Promise<{ type: string; text: string }> {
  const [type = '', ...parameters] = (response.headers.get('content-type') ?? '').toLowerCase().split(';')
  if (!TEXT_TYPE.test(type.trim())) {
    throw new TerminalError(
      'not_text',
      `${url} is ${type.trim() || 'of no stated content type'}, which fetch_url can't read.`,
      {
        hint: 'fetch_url reads HTML, text, JSON and XML. Look for such a form of the same content.',
      },
    )
  }
  const bytes = await readCapped(response, url, maxBytes)
  const charset = charsetOf(parameters) ?? declaredCharset(bytes)
  return { type: type.trim(), text: decode(bytes, charset) }
}

async function readCapped(response: Response, url: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) {
      throw new TerminalError('too_large', `${url} is larger than the ${maxBytes} bytes that fetch_url reads.`, {
        hint: 'Look for a smaller page of the same site.',
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function charsetOf(parameters: string[]): string | undefined {
  const value = parameters.map((part) => part.trim()).find((part) => part.startsWith('charset='))
  return value?.slice('charset='.length).replaceAll('"', '')
}

/** HTML says its charset within the first 1024 bytes (HTML standard, "specifying the document's character encoding"). */
function declaredCharset(bytes: Buffer): string | undefined {
  return /<meta[^>]{0,200}charset\s*=\s*["']?([\w-]+)/i.exec(bytes.toString('latin1', 0, 1024))?.[1]
}

function decode(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes)
  } catch {
    return new TextDecoder().decode(bytes)
  }
}
