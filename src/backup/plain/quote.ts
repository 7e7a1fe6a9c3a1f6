/** Anything that would end a line or could not be seen in one. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu

/**
 * A name in SQL, on one line whatever is in it: a newline inside would let the rest of the name stand at the start of a line,
 * where it may look like one of ours (CVE-2025-8715 was a newline in a comment). Such names are written as `U&"…"`.
 */
export function identifier(name: string): string {
  const quoted = name.replaceAll('"', '""')
  if (!CONTROL.test(name)) return `"${quoted}"`
  return `U&"${quoted.replaceAll('\\', '\\\\').replaceAll(CONTROLS, (char) => `\\${hex(char, 4)}`)}"`
}

/** A name of the schema `taskforce`. */
export function qualified(name: string): string {
  return `taskforce.${identifier(name)}`
}

/** A text in SQL, on one line. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''")
  if (!CONTROL.test(text) && !text.includes('\\')) return `'${quoted}'`
  return `E'${quoted.replaceAll('\\', '\\\\').replaceAll(CONTROLS, (char) => `\\u${hex(char, 4)}`)}'`
}

function hex(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0')
}
