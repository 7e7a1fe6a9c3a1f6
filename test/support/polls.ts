import { vi } from 'vitest'

/** Lets beats and polls come as the test wants them; everything else keeps its real time. Undone by `vi.useRealTimers`. */
export function holdPolls(): void {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
}

/** Lets one poll after the other come until the answer is yes; the test's own time limit ends it. */
export async function pollUntil(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) {
    vi.advanceTimersByTime(2_000)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
