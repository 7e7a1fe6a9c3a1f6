/** Comments, the four kinds of quoting (the last is dollar quoting), the end of a statement, anything else. */
const TOKEN =
  /--[^\n]*|\/\*[\s\S]*?\*\/|\b[eE]'(?:\\[\s\S]|''|[^'\\])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|\$([A-Za-z_]\w*)?\$[\s\S]*?\$\1\$|;|[^;]/g

/**
 * Cuts SQL into its statements, without comments. Nested block comments and `begin atomic` bodies are not understood:
 * only files outside a transaction are run piecewise, and those build indexes.
 */
export function splitStatements(sql: string): string[] {
  const statements: string[] = []
  let current = ''
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token === ';') {
      statements.push(current.trim())
      current = ''
    } else {
      current += token.startsWith('--') || token.startsWith('/*') ? ' ' : token
    }
  }
  statements.push(current.trim())
  return statements.filter((statement) => statement !== '')
}
