import { TerminalError } from '../domain/errors.ts'

/** The text of UTF-8 bytes without their byte order mark; TerminalError `binary_file` for anything else. */
export function decodeText(name: string, bytes: Uint8Array): string {
  let text: string | undefined
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    text = undefined
  }
  // NUL is valid UTF-8, but only binary formats and UTF-16 have it in practice.
  if (text === undefined || text.includes('\0')) {
    throw new TerminalError('binary_file', `${name} is not UTF-8 text, so it can't be read as text.`, {
      hint: 'Ask for the file as text or CSV in UTF-8, or go on without it.',
    })
  }
  return text
}
