/** One run, as its command line gives it. */
export interface ChaosSettings {
  seed: number
  missions: number
  /** For how long missions are created and things break. */
  minutes: number
  workers: number
  leaseMs: number
  sweepMs: number
  /** Whether the first worker is only frozen and never ended: its memory is what a soak looks at. */
  elder: boolean
  /** How long everything may take to come to rest after the last fault. */
  restMs: number
}

/** 75 missions a minute leave a machine of two cores half idle: what is late is late for a fault's sake. */
export const CHAOS = { missions: 300, minutes: 4, elder: false }
export const SOAK = { missions: 5_000, minutes: 33, elder: true }

/** A short lease keeps it quick. Excused missions rest for 10 s, 20 s and more, so coming to rest takes a while. */
export const COMMON = { workers: 3, leaseMs: 3_000, sweepMs: 5_000, restMs: 150_000 }
