import type { Begin, Effects } from '../../src/engine/ports.ts'

/** A ledger in memory that shows what was claimed, by `{missionId}/{key}`. */
export interface MemoryEffects extends Effects {
  claims: Map<string, Begin>
}

export function memoryEffects(): MemoryEffects {
  const claims = new Map<string, Begin>()
  return {
    claims,
    async claim(begin, signal) {
      signal.throwIfAborted()
      const name = `${begin.missionId}/${begin.key}`
      const before = claims.get(name)
      if (before !== undefined) return { kind: 'taken', by: { ...before, at: '2026-11-23T10:00:00.000Z' } }
      claims.set(name, begin)
      return { kind: 'claimed' }
    },
  }
}
