import type { Command } from './command.ts'

export const readCommit = (): Command => ({ program: 'git', args: ['rev-parse', 'HEAD'] })
export const readChanges = (): Command => ({ program: 'git', args: ['status', '--porcelain'] })
