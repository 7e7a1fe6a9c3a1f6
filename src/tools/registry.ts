import { z } from 'zod'
import { calculate } from './calculate.ts'
import type { EgressDependencies } from './egress/exchange.ts'
import { createFetchUrl } from './fetch-url.ts'
import { createGetDocument } from './get-document.ts'
import { listFiles } from './list-files.ts'
import { createPostWebhook } from './post-webhook.ts'
import { queryTableTool } from './query-table.ts'
import { readFile } from './read-file.ts'
import { createRunJavascript } from './run-javascript.ts'
import { createSearchDocuments } from './search-documents.ts'
import { openIndex, type SearchDependencies } from './search/index-client.ts'
import type { Tool } from './tool.ts'
import { writeFile } from './write-file.ts'

/** What tools need from outside; parts that are not configured are left out, and with them their tools. */
export interface ToolDependencies {
  /** Replaced by tests. */
  egress?: EgressDependencies
  search?: SearchDependencies
}

/** Tools that a deployment may be without: a profile may name them all the same. */
export const optionalTools: ReadonlySet<string> = new Set(['search_documents', 'get_document'])

/**
 * The tools that a profile can give an agent, by name. Cheap to call: html-to-text, undici, csv-parse and the Azure SDKs load
 * when a tool first needs them.
 */
export function createTools(dependencies: ToolDependencies = {}): Map<string, Tool> {
  const tools: Tool[] = [
    listFiles,
    readFile,
    writeFile,
    queryTableTool,
    calculate,
    createFetchUrl(dependencies.egress),
    createPostWebhook(dependencies.egress),
    createRunJavascript(),
    ...(dependencies.search ? searchTools(dependencies.search) : []),
  ]
  return new Map(tools.map((tool) => [tool.name, tool]))
}

function searchTools(dependencies: SearchDependencies): Tool[] {
  const index = openIndex(dependencies)
  return [createSearchDocuments(index), createGetDocument(index)]
}

export interface ToolDescription {
  name: string
  description: string
  parameters: Record<string, unknown>
}

/** A tool as a model is told about it; `parameters` is a JSON Schema (2020-12) of an object. */
export function describeTool(tool: Pick<Tool, 'name' | 'description' | 'input'>): ToolDescription {
  // `io: input`: what the model writes; defaults are then optional in the schema, as they are for it.
  // The dialect's URL costs tokens in each request, and some servers' grammars refuse keys that they don't know.
  const { $schema: _, ...parameters } = z.toJSONSchema(tool.input, { io: 'input' })
  return { name: tool.name, description: tool.description, parameters }
}
