import { createRequire } from 'node:module'

/** Runs in the process of an old build: loads the file that it is told, and answers each message with its decision. */

const [, , file = ''] = process.argv
const send = (message: object): void => void process.send?.(message)

function load(): (input: unknown) => object {
  const loaded: unknown = createRequire(import.meta.url)(file)
  const isModule = typeof loaded === 'object' && loaded !== null && 'nextDecision' in loaded
  if (!isModule || typeof loaded.nextDecision !== 'function') throw new Error('it has no function nextDecision')
  return loaded.nextDecision as (input: unknown) => object
}

function answer(nextDecision: (input: unknown) => object, input: unknown): object {
  try {
    return nextDecision(input)
  } catch (error) {
    return { readable: false, why: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

try {
  const nextDecision = load()
  process.on('message', (input) => send(answer(nextDecision, input)))
  send({ loaded: true })
} catch (error) {
  send({ loaded: false, why: reasonOf(error) })
}
