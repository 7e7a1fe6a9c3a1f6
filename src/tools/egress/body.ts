import type { Response } from 'undici'
import { TerminalError } from '../../domain/errors.ts'

/** Types that are text: HTML, XML, JSON, feeds, and whatever else calls itself text. */
const TEXT_TYPE = /^(?:text\/[\w.+-]+|application\/(?:json|xml|xhtml\+xml|[\w.-]+\+(?:json|xml)))$/

export interface ContentType {
  /** Lower case, without parameters; empty where none is stated. */
  type: string
  isText: boolean
  charset: string | undefined
}

export function readContentType(header: string | null | undefined): ContentType {
  const [type = '', ...parameters] = (header ?? '').toLowerCase().split(';')
  return { type: type.trim(), isText: TEXT_TYPE.test(type.trim()), charset: charsetOf(parameters) }
}

/**
 * The body of an answer as text, decoded by its charset (UTF-8 where none is known). TerminalError `not_text` for other
 * content types, `too_large` past `maxBytes` after decompression: a kilobyte of gzip can hold a megabyte.
 */
export async function readText(
  response: Response,
  url: string,
  maxBytes: number,
): Promise<{ type: string; text: string }> {
  const { type, isText, charset } = readContentType(response.headers.get('content-type'))
  if (!isText) {
    throw new TerminalError(
      'not_text',
      `${url} is ${type || 'of no stated content type'}, which fetch_url can't read.`,
      {
        hint: 'fetch_url reads HTML, text, JSON and XML. Look for such a form of the same content.',
      },
    )
  }
  const bytes = await readCapped(response, url, maxBytes)
  return { type, text: decode(bytes, charset ?? declaredCharset(bytes)) }
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

/** Text of bytes in a charset, or in UTF-8 where there is no such charset. A character that the end cuts is left out. */
export function decode(bytes: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(bytes, { stream: true })
  } catch {
    return new TextDecoder().decode(bytes, { stream: true })
  }
}
