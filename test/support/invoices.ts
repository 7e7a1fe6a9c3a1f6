/** A CSV of invoices of about so many bytes, and what each customer owes, added up in whole cents beside it. */
export function makeInvoices(bytes: number): { csv: string; owed: Map<string, string>; total: string; winner: string } {
  const customers = ['Alder & Sons', 'Birch, Elm & Co', 'Cedar "Red" Ltd', 'Dogwood', 'Émile Ébène']
  const cents = new Map(customers.map((name) => [name, 0n]))
  const lines = ['invoice,customer,amount']
  let size = 0
  // A linear congruence of Knuth's: the same file each time, with amounts that floating point does not add exactly.
  let seed = 42
  while (size < bytes) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const customer = customers[seed % customers.length] as string
    const amount = BigInt(seed % 10_000_019)
    cents.set(customer, (cents.get(customer) ?? 0n) + amount)
    const line = `${lines.length},"${customer.replaceAll('"', '""')}",${decimal(amount)}`
    lines.push(line)
    size += line.length + 1
  }
  const total = [...cents.values()].reduce((sum, amount) => sum + amount, 0n)
  const winner = [...cents].reduce((most, one) => (one[1] > most[1] ? one : most))[0]
  const owed = new Map([...cents].map(([name, amount]) => [name, decimal(amount)]))
  return { csv: lines.join('\n'), owed, total: decimal(total), winner }
}

function decimal(cents: bigint): string {
  return `${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`
}
