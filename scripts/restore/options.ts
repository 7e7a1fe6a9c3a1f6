import type { SharedOptions } from '../backup/context.ts'

export interface Options extends SharedOptions {
  at?: Date
  into?: string
  replace?: boolean
  yes?: boolean
  reconcile?: boolean
  /** Seconds. */
  wait: number
}
