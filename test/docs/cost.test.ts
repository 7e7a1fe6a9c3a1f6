import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { settingsSchema } from '../../src/config/settings.ts'
import { ofType, pinned } from '../bicep/environments.ts'

const page = readFileSync('docs/cost.md', 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('**', '')))

/** Lower and upper bound of a cell such as 1,652–1,701. */
function bounds(cell = ''): number[] {
  const [low, high = low] = cell.split('–').map((text) => Number(text.replace(',', '')))
  return [low ?? Number.NaN, high ?? Number.NaN]
}

it.each([
  ['dev', 2],
  ['staging', 3],
  ['production', 4],
])('the lines of %s add up', (_, column) => {
  const lines = rows.filter((cells) => cells.length === 8 && cells[1] !== 'line' && !cells[1]?.startsWith('-'))
  const sum = lines.filter((cells) => cells[1] !== 'together').map((cells) => bounds(cells[column]))
  const together = lines.find((cells) => cells[1] === 'together')
  expect(sum.length).toBeGreaterThan(10)
  expect([0, 1].map((end) => sum.reduce((total, one) => total + (one[end] ?? 0), 0))).toEqual(
    bounds(together?.[column]),
  )
})

it('says what two environments use of the one grant of Functions, from the figures of one', () => {
  const [, sweep, grant] = /the sweep's ([\d,]+) GB-seconds are within the grant of ([\d,]+)/.exec(page) ?? []
  const number = (text = '') => Number(text.replaceAll(',', ''))
  const both = 2 * number(sweep)
  const text = page.replaceAll(/\s+/g, ' ')
  const [, said, over, free, cost] =
    /use ([\d,]+) GB-seconds at rest, ([\d,]+) more than the ([\d,]+) that are free: about (\d+) a month/.exec(text) ??
    []
  const price = Number(/on demand at (0\.\d+) a GB-second/.exec(page)?.[1])
  expect([said, over, free].map(number)).toEqual([both, both - number(grant), number(grant)])
  expect(Number(cost)).toBe(Math.round((both - number(grant)) * price))
})

it.each([
  ['staging', 3],
  ['production', 4],
] as const)('counts what the network of %s has, and the search service that it has not', (environment, column) => {
  const lineOf = (name: string) => rows.find((cells) => cells[1]?.startsWith(name)) ?? []
  const count = (type: string) => ofType(pinned(environment), type).length
  const endpoints = count('Microsoft.Network/privateEndpoints')
  expect(lineOf('Private endpoints')[5]).toBe(`${endpoints} at 0.01 an hour`)
  expect(Number(lineOf('Private endpoints')[column])).toBe(Math.round(endpoints * 0.01 * 730))
  const zones = count('Microsoft.Network/privateDnsZones')
  expect(lineOf('NAT gateway')[5]).toBe(`0.045 and 0.005 an hour, ${zones} zones at 0.50`)
  expect(Number(lineOf('NAT gateway')[column])).toBe(Math.round(0.05 * 730 + zones * 0.5))
  expect([count('Microsoft.Search/searchServices'), Number(lineOf('Azure AI Search')[column])]).toEqual([0, 0])
})

it('each parameter that changes a line is one', () => {
  const types = readFileSync('bicep/types.bicep', 'utf8')
  const main = readFileSync('bicep/main.bicep', 'utf8')
  const named = rows.flatMap((cells) =>
    [...(cells.at(-2) ?? '').matchAll(/`([\w.]+)`/g)].map(([, name]) => name as string),
  )
  expect(named.length).toBeGreaterThan(20)
  const unknown = named.filter((name) => {
    if (name in settingsSchema.shape || name === 'limits') return false
    const [part, inner = part] = name.split('.')
    const isParameter = new RegExp(`^param ${part} `, 'm').test(main)
    return !isParameter && !(types.includes(`  ${part}: `) && types.includes(`  ${inner}: `))
  })
  expect(unknown).toEqual([])
})
