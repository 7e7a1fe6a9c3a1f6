/**
 * Answers what tries work that a run can go on without, as writing to a full disk: it never throws.
 * @param tell gets why the first one failed; the later ones fail as that did
 */
export function createAttempt(tell: (why: string) => void): (work: () => void) => void {
  let isTold = false
  return (work) => {
    try {
      work()
    } catch (error) {
      if (isTold) return
      isTold = true
      tell(error instanceof Error ? error.message : String(error))
    }
  }
}
