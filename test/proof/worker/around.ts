import type { EngineDb } from '../../../src/db/connection.ts'
import type { EngineContext } from '../../../src/engine/context.ts'
import type { Tool } from '../../../src/tools/tool.ts'

/** Stands around every call of a port, by the port's name, such as `journal.append`, `tool.look` or `sql.append_one`. */
export type Around = <T>(port: string, call: () => Promise<T>) => Promise<T>

type Method = (...args: never[]) => Promise<unknown>

/** The same object with something around each of its functions. */
export function wrapPort<T extends object>(around: Around, name: string, port: T): T {
  const wrapped = Object.entries(port).map(([key, method]) => [
    key,
    (...args: never[]) => around(`${name}.${key}`, () => (method as Method)(...args)),
  ])
  return Object.fromEntries(wrapped) as T
}

/** All that the engine asks of the world, except the statements below and what makes the previews' rows. */
export function wrapContext(around: Around, context: EngineContext): EngineContext {
  const { journal, missions, wakes, contents, effects, model, tools } = context
  return {
    ...context,
    journal: wrapPort(around, 'journal', journal),
    missions: wrapPort(around, 'missions', missions),
    wakes: wrapPort(around, 'wakes', wakes),
    contents: wrapPort(around, 'contents', contents),
    effects: wrapPort(around, 'effects', effects),
    model: wrapPort(around, 'model', model),
    tools: new Map([...tools].map(([name, tool]) => [name, wrapTool(around, tool)])),
  }
}

function wrapTool(around: Around, tool: Tool): Tool {
  return { ...tool, run: (input, context) => around(`tool.${tool.name}`, () => tool.run(input, context)) }
}

/** Every statement that goes through this pool, by its name. */
export function wrapStatements(around: Around, db: EngineDb): void {
  const query = db.query.bind(db) as (...args: unknown[]) => Promise<unknown>
  db.query = ((first: string | { name?: string; text: string }, ...rest: unknown[]) => {
    const text = typeof first === 'string' ? first : (first.name ?? first.text)
    return around(`sql.${text.trim().split('\n', 1)[0]}`, () => query(first, ...rest))
  }) as typeof db.query
}
