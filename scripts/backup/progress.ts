import { duration, size } from '../mission/text.ts'

const EVERY_MS = 200
const CELLS = 24

export interface Progress {
  /** `all`: as far as it is known. */
  show(bytes: number, all: number): void
  clear(): void
}

/** A bar with rate and time left, drawn over on a terminal, and nothing elsewhere. */
export function showProgress(stream: NodeJS.WriteStream, doing: string): Progress {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined }
  const begun = performance.now()
  let last = 0
  return {
    show(bytes, all) {
      const now = performance.now()
      if (now - last < EVERY_MS) return
      last = now
      stream.write(`\r\u001b[K${progressLine(doing, { bytes, all, ms: now - begun })}`)
    },
    clear: () => void stream.write('\r\u001b[K'),
  }
}

/** `Dumps [████      ] 45 %  210.0 MB of 460.0 MB  49.0 MB/s  5.1 s left` */
export function progressLine(doing: string, { bytes, all, ms }: { bytes: number; all: number; ms: number }): string {
  // An estimate may be passed, and never says that more than all is done.
  const share = all === 0 ? 0 : Math.min(1, bytes / all)
  const full = Math.round(share * CELLS)
  const bar = '█'.repeat(full) + ' '.repeat(CELLS - full)
  const rate = ms === 0 ? 0 : (bytes * 1000) / ms
  const left = share > 0 && share < 1 ? `  ${duration((ms * (1 - share)) / share)} left` : ''
  return `${doing} [${bar}] ${Math.floor(share * 100)} %  ${size(bytes)} of ${size(all)}  ${size(rate)}/s${left}`
}
