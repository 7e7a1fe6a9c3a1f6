import type { EventDraft, MissionEvent } from '../domain/event.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { Lease, Transition } from '../db/queries/append-events.ts'
import type { Claim } from '../db/queries/claim-mission.ts'
import type { Owned, Poll } from '../db/queries/instances.ts'

export type { Claim, Lease, Owned, Poll, Transition }

/**
 * `recorded`: the events as the journal has them, which may differ from the drafts in characters that can't be stored.
 * `conflict`: another writer took the number, read on. `lost`: another instance holds the lease, stop.
 */
export type AppendResult = { kind: 'recorded'; recorded: MissionEvent[] } | { kind: 'conflict' } | { kind: 'lost' }

export interface Journal {
  /**
   * All events or none, after exactly `afterSeq`; with a transition, the mission's row changes in the same commit. A
   * transition alone releases the lease: `lost` then says too that something came in since its `inbox` was read.
   */
  append(lease: Lease, afterSeq: number, events: readonly EventDraft[], change?: Transition): Promise<AppendResult>
  /** Without `uptoSeq`, all that there is. */
  read(missionId: string, afterSeq: number, uptoSeq?: number): Promise<MissionEvent[]>
}

export interface Missions {
  /** As many as there are, up to `most`; one at most that its instances may have died of, and none without `suspect`. */
  claim(most: number, suspect: boolean): Promise<Claim[]>
  /** Whether a claim may find something in a moment: a free mission whose row somebody has locked. */
  anyFree(): Promise<boolean>
  /** Events from outside so far; undefined when the lease is gone. */
  inbox(lease: Lease): Promise<number | undefined>
  /** What this instance owns, whether it works on it or not, and whether missions of dead instances are there to be claimed. */
  poll(): Promise<Poll>
  /** Frees a mission that this instance owns and failed on; it counts as a crash. */
  abandon(lease: Lease): Promise<void>
  /** The same without a crash, for what the database did or was never begun; it may move again in so many seconds. */
  excuse(lease: Lease, inSeconds: number): Promise<void>
  beat(): Promise<void>
  leave(): Promise<void>
  profile(tenantId: string, hash: string): Promise<EffectiveProfile>
}

export interface Wakes {
  /** A permit for somebody to claim in some seconds (0 to 7 days); it may come twice, late or never. */
  send(missionId: string, inSeconds: number): Promise<void>
}

export interface Clock {
  /** Milliseconds that never jump; only differences mean something. */
  monotonic(): number
  /** Resolves early, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** A call of a tool that acts once, about to be made. */
export interface Begin {
  missionId: string
  /** Of the call within the mission: the same for every attempt. */
  key: string
  tool: string
  /** The process that is about to make it. */
  instance: string
}

/** `taken`: the call was begun before; `by` tells who, where that can be read. */
export type ClaimResult =
  { kind: 'claimed' } | { kind: 'taken'; by: { instance: string; tool: string; at: string } | undefined }

/** Which calls of tools that act once have begun, kept outside of the database: what it forgets in a restore is known here. */
export interface Effects {
  /**
   * The first who claims a call may make it, and nobody after that. Throws the signal's reason when it is aborted, and
   * TerminalError `effects_unavailable` where the claim can't be made: the call must not be made then.
   */
  claim(begin: Begin, signal: AbortSignal): Promise<ClaimResult>
}

/** Bytes by tenant and hash: the files of missions. */
export interface Contents {
  store(tenantId: string, sha256: string, bytes: Buffer): Promise<void>
  read(tenantId: string, sha256: string): Promise<Buffer | undefined>
}
