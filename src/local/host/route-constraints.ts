type Check = (value: string) => boolean

const plain: Record<string, Check> = {
  guid: (value) => /^(\{[0-9a-f-]{36}\}|\([0-9a-f-]{36}\)|[0-9a-f-]{36}|[0-9a-f]{32})$/i.test(value) && isGuid(value),
  int: (value) => isInteger(value, -(2n ** 31n), 2n ** 31n - 1n),
  long: (value) => isInteger(value, -(2n ** 63n), 2n ** 63n - 1n),
  alpha: (value) => /^[a-z]*$/i.test(value),
  bool: (value) => /^(true|false)$/i.test(value),
  decimal: isNumber,
  double: isNumber,
  float: isNumber,
  datetime: (value) => !Number.isNaN(Date.parse(value)),
  required: (value) => value !== '',
}

const withArguments: Record<string, (...args: string[]) => Check> = {
  min: (least) => (value) => plain.long!(value) && BigInt(value) >= BigInt(least),
  max: (most) => (value) => plain.long!(value) && BigInt(value) <= BigInt(most),
  range: (least, most) => (value) =>
    plain.long!(value) && BigInt(value) >= BigInt(least) && BigInt(value) <= BigInt(most),
  length: (least, most) => (value) => value.length >= Number(least) && value.length <= Number(most ?? least),
  minlength: (least) => (value) => value.length >= Number(least),
  maxlength: (most) => (value) => value.length <= Number(most),
}

/**
 * The check behind an inline route constraint such as `guid`, `range(1,9)` or `regex(^a+$)`.
 * Names and meanings: Microsoft.AspNetCore.Routing.Constraints. Throws for a name that ASP.NET does not know.
 */
export function routeConstraint(text: string): Check {
  const [, name = '', , args] = /^([a-z]+)(\((.*)\))?$/is.exec(text) ?? []
  const key = name.toLowerCase()
  if (key === 'regex' && args !== undefined) {
    const pattern = new RegExp(args, 'i')
    return (value) => pattern.test(value)
  }
  const simple = args === undefined ? plain[key] : undefined
  const check =
    simple ?? (args === undefined ? undefined : withArguments[key]?.(...args.split(',').map((a) => a.trim())))
  if (!check) throw new Error(`"${text}" is not a route constraint that the Functions host knows.`)
  return check
}

function isGuid(value: string): boolean {
  const digits = value.replace(/^[{(]|[)}]$/g, '')
  return /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(digits)
}

function isInteger(value: string, least: bigint, most: bigint): boolean {
  return /^[+-]?\d+$/.test(value) && BigInt(value) >= least && BigInt(value) <= most
}

function isNumber(value: string): boolean {
  return /^[+-]?(\d[\d,]*)?(\.\d+)?(e[+-]?\d+)?$/i.test(value) && /\d/.test(value)
}
