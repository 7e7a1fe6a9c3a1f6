/**
 * Text like prose, so that compression sees what it would see in production: words by a skewed draw, the same in every run.
 * A kilobyte each, as in the comparison with other engines.
 */
export const WORDS =
  'the of and to in is that for it as was with be by on not he at are this have from or had an they which one you were all her there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man even most made after also did many off before must well back through years where much your way down should because long each just state those people too how little good world make very year still see own work get here between both life being under three never know same last another while us might great go come since against right came take used himself few house use place during high without again home around small however found part school thought went say general once upon every left war does got united number hand course water until always away public something fact less though far put head think called set almost enough end took government night yet system better four nothing told eyes city going president why days present point look find asked second group later next room social business knew program give half side face toward white five let young form given per order large several national important rather big among often things already case whole early service research report tool agent search result document section summary table value error request response customer invoice market price product analysis review source evidence conclusion'.split(
    ' ',
  )
const TEXTS = 512
const LENGTH = 1000

export const texts: readonly string[] = Array.from({ length: TEXTS }, (_, seed) => prose(seed + 1))

export function textOf(k: number): string {
  return texts[(k * 7 + 1) % TEXTS] ?? ''
}

function prose(seed: number): string {
  const random = mulberry(seed)
  let text = ''
  while (text.length < LENGTH) text += `${WORDS[Math.floor(random() ** 1.5 * WORDS.length)]} `
  return text.slice(0, LENGTH)
}

/** Mulberry32, by Tommy Ettinger, in the public domain: small, and the same on every machine. */
export function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
