import { resolve } from 'node:path'
import { z } from 'zod'
import type { Compiler } from './compiler.ts'
import { readPinned, type Resource } from './environments.ts'

export interface Deployed {
  resources: Resource[]
  outputs: Record<string, string>
}

/** What a parameter file would deploy and give out. Throws the compiler's message, as of `fail()`. */
export async function deployedBy(compiler: Compiler, path: string): Promise<Deployed> {
  const snapshot = await compiler.snapshot(resolve(path))
  const { outputs } = z.object({ outputs: z.record(z.string(), z.string()) }).parse(snapshot)
  return { resources: readPinned(JSON.stringify(snapshot)), outputs }
}
