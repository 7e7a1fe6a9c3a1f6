/**
 * What two runs of the same commands have in common: times differ, and with them the cut of long lines; calls that run side
 * by side end in any order.
 */
export function comparable(transcript: string): string[] {
  const lines = transcript
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'ID')
    .split('\n')
    .map((line) => line.replace(/…\s.*$|…$/, '…').replace(/\s+[\d.]+ (ms|s|min)\b/g, ' TIME'))
    .map((line) => (line.startsWith('✔ tool') ? line.slice(0, 50) : line).replace(/…$/, '').trimEnd())
  return sortRuns(lines, (line) => line.startsWith('✔ tool'))
}

/** Sorts what stands together and is alike; everything else keeps its place. */
function sortRuns(lines: string[], alike: (line: string) => boolean): string[] {
  const sorted: string[] = []
  for (let at = 0; at < lines.length;) {
    const end = lines.findIndex((line, index) => index >= at && !alike(line))
    const run = lines.slice(at, end === -1 ? undefined : end)
    sorted.push(...run.sort(), ...(end === -1 ? [] : [lines[end] as string]))
    at = end === -1 ? lines.length : end + 1
  }
  return sorted
}
