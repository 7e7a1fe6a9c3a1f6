import { readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

/** A room may import from those after it, never from those before; rooms on one line don't know each other. */
const ORDER = [
  ['scripts'],
  ['src/local'],
  ['functions'],
  ['src/api'],
  ['src/missions', 'src/backup'],
  ['src/engine'],
  ['src/models', 'src/tools', 'src/db', 'src/telemetry'],
  ['src/config'],
  ['src/domain'],
]

const FORBIDDEN_FOLDERS = ['utils', 'lib', 'common', 'helpers', 'types', 'interfaces']
/** The rule says about 200; this is where about ends. */
const LONGEST_FILE = 260

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => path.endsWith('.ts') && statSync(path).isFile())
}

const files = ['functions', 'scripts', 'src'].flatMap(filesBelow)

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

/** Static and dynamic imports, with the ones of types alone marked: these cost nothing at run time, but show direction too. */
function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8')
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'/gm),
    ...text.matchAll(/^import\s+()'([^']+)'/gm),
    ...text.matchAll(/\bimport\(()\s*'([^']+)'/g),
  ]
  return found
    .map(([, typeOnly, to]) => ({ from: path, to: to as string, typeOnly: Boolean(typeOnly) }))
    .filter(({ to }) => to.startsWith('.'))
    .map((one) => ({ ...one, to: relative('.', resolve(dirname(path), one.to)) }))
}

const imports = files.flatMap(importsOf)

function roomOf(path: string): { room: string; level: number } | undefined {
  const level = ORDER.findIndex((rooms) => rooms.some((room) => path.startsWith(`${room}/`)))
  const room = ORDER[level]?.find((name) => path.startsWith(`${name}/`))
  return room === undefined ? undefined : { room, level }
}

describe('imports', () => {
  it('are found at all', () => {
    expect(imports.length).toBeGreaterThan(300)
    expect(imports.some(({ from, to }) => from === 'functions/sweep.ts' && to === 'src/engine/sweep.ts')).toBe(true)
  })

  it('point one way', () => {
    const wrong = imports.filter(({ from, to }) => {
      const [source, target] = [roomOf(from), roomOf(to)]
      if (source === undefined || target === undefined || source.room === target.room) return false
      return target.level <= source.level
    })
    expect(wrong.map(({ from, to }) => `${from} -> ${to}`)).toEqual([])
  })

  it('have no cycle', () => {
    expect(findCycle(imports)).toBeUndefined()
  })

  it('of the domain are zod and the domain', () => {
    const domain = files.filter((path) => path.startsWith('src/domain/'))
    const packages = domain.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/from '([^.'][^']*)'/g)])
    expect(new Set(packages.map(([, name]) => name))).toEqual(new Set(['zod']))
  })

  it('of the Functions library stand in functions/ alone, and in what stands in for the platform', () => {
    const users = files.filter((path) => /from '@azure\/functions/.test(readFileSync(path, 'utf8')))
    expect(users.filter((path) => !path.startsWith('functions/') && !path.startsWith('src/local/'))).toEqual([])
  })
})

describe('the domain', () => {
  it('has no clock, no randomness and no way out', () => {
    const impure = /\bDate\.now|new Date\(\)|Math\.random|performance\.|process\.|setTimeout|\bfetch\(|await |node:/
    const found = files.filter((path) => path.startsWith('src/domain/') && impure.test(withoutComments(path)))
    expect(found).toEqual([])
  })
})

describe('the tree', () => {
  it('has no drawer', () => {
    const drawers = files.filter((path) => path.split('/').some((part) => FORBIDDEN_FOLDERS.includes(part)))
    expect(drawers).toEqual([])
  })

  it('has no file that nobody can read in one go', () => {
    const long = files.filter((path) => readFileSync(path, 'utf8').split('\n').length > LONGEST_FILE)
    expect(long).toEqual([])
  })

  it('has named exports only', () => {
    expect(files.filter((path) => /^export default\b/m.test(readFileSync(path, 'utf8')))).toEqual([])
  })

  it('reads the environment in functions/, config/ and local/ alone', () => {
    const readers = files.filter((path) => /process\.env\b/.test(withoutComments(path)))
    expect(readers.filter((path) => !/^(functions|scripts|src\/config|src\/local)\//.test(path))).toEqual([])
  })
})

function withoutComments(path: string): string {
  return readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}

function findCycle(edges: readonly Import[]): string[] | undefined {
  const next = Map.groupBy(edges, ({ from }) => from)
  const done = new Set<string>()
  function visit(path: string, trail: string[]): string[] | undefined {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return undefined
    for (const { to } of next.get(path) ?? []) {
      const cycle = visit(to, [...trail, path])
      if (cycle !== undefined) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const path of next.keys()) {
    const cycle = visit(path, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
