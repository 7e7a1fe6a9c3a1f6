import { routeConstraint } from './route-constraints.ts'

type Parameter = { name: string; checks: ((value: string) => boolean)[]; fallback: string | undefined }

/** A compiled template: gives the route's values for a path, or null where it does not match. */
export type RouteMatcher = (path: string) => Record<string, string> | null

/**
 * Compiles an ASP.NET route template (`items/{id:guid}`, `{name?}`, `{*rest}`, `{size=10}`, `v{n}.json`).
 * Literals match without regard to case, values are percent-decoded except `%2F`, a failed constraint is no match.
 * Throws when the template can't be read.
 */
export function compileRoute(template: string): RouteMatcher {
  const parameters: Parameter[] = []
  const segments = template.split(/\/(?![^{]*\})/).filter((segment) => segment !== '')
  const pattern = segments.map((segment) => segmentPattern(segment, parameters)).join('')
  const expression = new RegExp(`^${pattern}/?$`, 'is')
  return (path) => {
    const found = expression.exec(path.split('/').map(decodeSegment).join('/').replace(/\/+$/, ''))
    return found && routeValues(parameters, found.slice(1))
  }
}

function routeValues(parameters: Parameter[], found: (string | undefined)[]): Record<string, string> | null {
  const values: Record<string, string> = {}
  for (const [index, parameter] of parameters.entries()) {
    const value = found[index] || parameter.fallback
    if (value === undefined) continue
    if (!parameter.checks.every((check) => check(value))) return null
    values[parameter.name] = value
  }
  return values
}

/** Adds the segment's parameters to the list; the pattern has one group for each. */
function segmentPattern(segment: string, parameters: Parameter[]): string {
  const catchAll = /^\{\*{1,2}([^}]*)\}$/.exec(segment)
  if (catchAll) {
    parameters.push(parseParameter(catchAll[1]!).parameter)
    return '(?:/(.*))?'
  }
  const parts = segment.split(/(\{(?:[^{}]|\{[^{}]*\})*\})/).filter((part) => part !== '')
  const patterns = parts.map((part) => {
    if (!part.startsWith('{')) return escapeLiteral(part, segment)
    const { parameter, optional } = parseParameter(part.slice(1, -1))
    parameters.push(parameter)
    return optional && parts.length === 1 ? 'optional' : '([^/]+?)'
  })
  return patterns[0] === 'optional' ? '(?:/([^/]+?))?' : `/${patterns.join('')}`
}

function parseParameter(text: string): { parameter: Parameter; optional: boolean } {
  const [, name = '', constraints = '', fallback, question] =
    /^(\w+)((?::[^:=?(]+(?:\([^)]*\))?)*)(?:=(.*?))?(\?)?$/s.exec(text) ?? []
  if (!name) throw new Error(`"{${text}}" is not a route parameter.`)
  const checks = constraints.split(/:(?![^(]*\))/).filter((part) => part !== '')
  return {
    parameter: { name, checks: checks.map(routeConstraint), fallback },
    optional: question !== undefined || fallback !== undefined,
  }
}

function escapeLiteral(text: string, segment: string): string {
  if (/[{}]/.test(text)) throw new Error(`The braces of "${segment}" do not match.`)
  return text.replace(/[.*+?^$()|[\]\\]/g, '\\$&')
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment.replace(/%2f/gi, '%252F'))
  } catch {
    return segment
  }
}
