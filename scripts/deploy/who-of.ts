import { userInfo } from 'node:os'

interface SignedIn {
  user: { name: string; assignedIdentityInfo?: string | undefined }
}

/** Who does it, for others to read. All who work on a machine that acts by its identity are one to Azure, so their login is named too. */
export function whoOf({ user: { name, assignedIdentityInfo } }: SignedIn): string {
  return assignedIdentityInfo === undefined ? name : `${assignedIdentityInfo} (${loginName()})`
}

function loginName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run as a number that has no name.
    return 'unknown'
  }
}
