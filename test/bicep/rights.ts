import { readFileSync } from 'node:fs'
import { ofType, type Resource } from './environments.ts'

const table = readFileSync('bicep/role-ids.bicep', 'utf8')

/** Names of `role-ids.bicep` by their GUIDs. */
export const roleNames = new Map(
  [...table.matchAll(/(\w+): '([0-9a-f-]{36})'/g)].map(([, name, id]) => [id, name as string]),
)

/** As `WHO may ROLE on WHAT`, of all that is given. */
export function givenIn(resources: readonly Resource[]): string[] {
  return ofType(resources, 'Microsoft.Authorization/roleAssignments').map(({ id, properties }) => {
    const role = roleNames.get(String(properties['roleDefinitionId']).split('/').at(-1))
    return `${whoOf(properties)}: ${role} on ${shortly(scopeIdOf(id))}`
  })
}

function whoOf(properties: Resource['properties']): string {
  if (properties['principalType'] === 'Group') return 'on call'
  return /-(app|backup|migrator|deployer)'/.exec(String(properties['principalId']))?.[1] ?? 'operator'
}

/** Id of what an assignment of this id is on. Where the principal is known only to Azure, the id is an expression. */
export function scopeIdOf(id: string): string {
  const inGroup = /^\[resourceId\('([^']+)', '([^']+)'/.exec(id)
  if (inGroup !== null) return `/subscriptions/${inGroup[1]}/resourceGroups/${inGroup[2]}`
  const extended = /^\[extensionResourceId\('([^']+)'/.exec(id)?.[1]
  return extended ?? id.replace(/\/providers\/Microsoft\.Authorization\/roleAssignments\/[^/]+$/, '')
}

/** The last two parts, without what makes the name the only one of the world. */
function shortly(scopeId: string): string {
  return scopeId
    .split('/')
    .slice(-2)
    .join('/')
    .replace(/[a-z0-9]{13}$|-(dev|staging|production|trial)(-\w{6})?$/, '')
}
