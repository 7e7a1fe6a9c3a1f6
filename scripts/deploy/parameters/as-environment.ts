import type { TemplateParameters } from './remember.ts'

/** For a child process. One that was taken back is not set, so that the templates' own value counts. */
export function asEnvironment(parameters: TemplateParameters): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, value === '' ? undefined : value]))
}
