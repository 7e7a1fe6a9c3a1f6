import { controlTools } from '../../src/domain/control-tools/registry.ts'
import { createTools, optionalTools } from '../../src/tools/registry.ts'

/** A table of every tool that a profile can name, from the tools themselves. */
export function toolList(): string {
  const search = { endpoint: 'https://x', index: 'x', vectorFields: [], semanticConfiguration: undefined }
  const tools = [...createTools({ search: { config: search } }).values()]
  const rows = [
    ...controlTools.map(({ name, effect, description }) => row(name, effect, 'none', description)),
    ...tools.map((tool) => row(tool.name, tool.effect, limitsOf(tool), tool.description)),
  ]
  return ['| tool | effect | limits | what the model is told |', '|---|---|---|---|', ...rows.sort()].join('\n')
}

function row(name: string, effect: string, limits: string, description: string): string {
  const needs = optionalTools.has(name) ? ' (with `AZURE_SEARCH_ENDPOINT`)' : ''
  return `| \`${name}\`${needs} | ${effect} | ${limits} | ${description.replaceAll('|', '\\|')} |`
}

function limitsOf({ timeoutMs, maxOutputBytes }: { timeoutMs: number; maxOutputBytes: number }): string {
  return `${timeoutMs / 1000} s, ${maxOutputBytes / 1024} KiB out`
}
