/** Why work on a mission was stopped from outside: the reason of its AbortSignal. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
  /** `lost`: the lease is gone, write nothing. `drain`: hand over. */
  readonly why: 'lost' | 'drain'

  constructor(why: 'lost' | 'drain') {
    super(why === 'lost' ? 'The lease of this mission is no longer held' : 'This instance is stopping')
    this.why = why
  }
}
