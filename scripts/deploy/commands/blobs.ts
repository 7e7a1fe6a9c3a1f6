import type { Environment } from '../environments.ts'
import type { Target } from '../target.ts'
import { LIMITS, patient, type Command, type Flags } from './command.ts'

/** What is known of a stored package, if it is there. */
export const showPackage = (target: Target, blob: string): Command =>
  patient('storage blob list', { prefix: blob, include: 'm', ...storageOf(target), output: 'json' })

export const storePackage = (
  target: Target,
  { blob, sha256 }: { blob: string; sha256: string },
  file: string,
): Command => ({
  ...patient('storage blob upload', {
    file,
    name: blob,
    metadata: `sha256=${sha256}`,
    overwrite: 'false',
    ...storageOf(target),
    output: 'none',
  }),
  limitMs: LIMITS.long,
})

export const fetchPackage = (target: Target, blob: string, file: string): Command => ({
  ...patient('storage blob download', { name: blob, file, ...storageOf(target), output: 'none' }),
  limitMs: LIMITS.long,
})

/** In place of one of the same name: a deployment that failed is recorded where it would have been. */
export const storeRecord = (target: Target, blob: string, file: string): Command => ({
  ...patient('storage blob upload', {
    file,
    name: blob,
    'content-type': 'application/json',
    overwrite: 'true',
    ...storageOf(target),
    output: 'none',
  }),
  clearsUp: true,
})

export const fetchRecords = ({ account, container }: Target, { name }: Environment, folder: string): Command => ({
  ...patient('storage blob download-batch', {
    source: container,
    destination: folder,
    // By the year that their names begin with: the lock beside them is none.
    pattern: `${name}/2*.json`,
    'account-name': account,
    'auth-mode': 'login',
    output: 'none',
  }),
  limitMs: LIMITS.long,
})

const lockOf = ({ name }: Environment) => `${name}/lock.json`

/** Only where there is none, unless it is taken over. */
export const storeLock = (target: Target, environment: Environment, file: string, takeOver = false): Command =>
  patient('storage blob upload', {
    file,
    name: lockOf(environment),
    'content-type': 'application/json',
    overwrite: String(takeOver),
    ...storageOf(target),
    output: 'none',
  })

export const fetchLock = (target: Target, environment: Environment, file: string): Command => ({
  ...patient('storage blob download', { name: lockOf(environment), file, ...storageOf(target), output: 'none' }),
  clearsUp: true,
})

export const removeLock = (target: Target, environment: Environment): Command => ({
  ...patient('storage blob delete', { name: lockOf(environment), ...storageOf(target), output: 'none' }),
  clearsUp: true,
})

const storageOf = ({ account, container }: Target): Flags => ({
  'account-name': account,
  'container-name': container,
  'auth-mode': 'login',
})
