import { readFileSync } from 'node:fs'

/** Of the template's own, or of bicep/shared.bicepparam, which takes them from the shell. */
const NOT_IN_FILES: ReadonlySet<string> = new Set([
  'environmentName',
  'location',
  'shape',
  'fromShell',
  'thisMonth',
  'operatorType',
  'operatorGroupId',
  'budgetStart',
  'postgresStorageGB',
  'recoverDeleted',
])

/** Types whose fields a person writes. */
const TYPES = [
  'Shape',
  'Existing',
  'ExistingNetwork',
  'ExistingResource',
  'ModelDeployment',
  'ExtraSubnet',
  'Administrator',
]

interface Item {
  name: string
  type: string
  meaning: string
}

/** A table of what a parameter file may say, from the descriptions in bicep/main.bicep, and one of each type that it is made of. */
export function templateParameters(): string {
  const main = readFileSync('bicep/main.bicep', 'utf8')
  const types = readFileSync('bicep/types.bicep', 'utf8')
  const parameters = itemsOf(main, /^()param (\w+) (.+)$/).filter(({ name }) => !NOT_IN_FILES.has(name))
  const tables = TYPES.map((type) => `### ${type}\n\n${table(fieldsOf(types, type))}`)
  return [table(parameters), ...tables].join('\n\n')
}

/** What stands behind a description, with other decorators between. @param line with the indent, the name and the type */
function itemsOf(text: string, line: RegExp): (Item & { indent: number })[] {
  let meaning = ''
  return text.split('\n').flatMap((one) => {
    const [, described] = /^\s*@description\('((?:[^'\\]|\\.)*)'\)$/.exec(one) ?? []
    if (described !== undefined) meaning = described.replaceAll(String.raw`\'`, "'")
    const [, indent = '', name, type = ''] = line.exec(one) ?? []
    return name === undefined ? [] : [{ indent: indent.length, name, type, meaning }]
  })
}

/** Those of an object within it by a path, as postgres.skuName. */
function fieldsOf(types: string, type: string): Item[] {
  const [, body = ''] = new RegExp(`^type ${type} = {\n([^]*?)^}`, 'm').exec(types) ?? []
  let within = ''
  return itemsOf(body, /^( +)(\w+): (.+)$/).map(({ indent, name, type: kind, meaning }) => {
    if (indent === 2) within = name
    return { name: indent === 2 ? name : `${within}.${name}`, type: kind === '{' ? 'several' : kind, meaning }
  })
}

function table(items: Item[]): string {
  const rows = items.map(
    ({ name, type, meaning }) => `| \`${name}\` | \`${type.replaceAll('|', String.raw`\|`)}\` | ${meaning} |`,
  )
  return ['| name | type, and what it is without | meaning |', '|---|---|---|', ...rows].join('\n')
}
