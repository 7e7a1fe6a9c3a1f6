export { recorderNow } from '../proof/worker/file-ledger.ts'

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
