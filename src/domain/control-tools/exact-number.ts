/**
 * Whether a number in JSON is still the same after JSON.parse: its decimal value is that of the shortest decimal that names
 * the double. 12345678901234567890 is not, 0.10 and 1e3 are.
 */
export function isExact(source: string, value: number): boolean {
  const [written, kept] = [decimal(source), decimal(String(value))]
  return written.digits === kept.digits && written.exponent === kept.exponent
}

/**
 * digits * 10^exponent, without zeros around the digits, and without the sign, which is never lost. Zero has no digits, nor
 * has Infinity, which 1e400 becomes.
 */
function decimal(text: string): { digits: string; exponent: number } {
  const [, whole = '', fraction = '', power = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const all = whole + fraction
  // No /0+$/, which is quadratic in a text of many zeros.
  let [start, end] = [0, all.length]
  while (all[start] === '0') start++
  while (end > start && all[end - 1] === '0') end--
  if (start === end) return { digits: '', exponent: 0 }
  return { digits: all.slice(start, end), exponent: Number(power) - fraction.length + (all.length - end) }
}
