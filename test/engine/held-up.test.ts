import { expect, it } from 'vitest'
import { HeldUp } from '../../src/engine/held-up.ts'

it('a mission rests twice as long each time, up to 10 minutes, and from the beginning again once it is forgotten', () => {
  const heldUp = new HeldUp()
  const rests = Array.from({ length: 9 }, () => heldUp.again('a').restSeconds)
  expect(rests).toEqual([10, 20, 40, 80, 160, 320, 600, 600, 600])
  expect(heldUp.again('b')).toEqual({ times: 1, restSeconds: 10 })
  expect(heldUp.again('a')).toEqual({ times: 10, restSeconds: 600 })
  heldUp.forget('a')
  expect(heldUp.again('a')).toEqual({ times: 1, restSeconds: 10 })
})

it('a thousand missions are remembered, the ones that were held up last', () => {
  const heldUp = new HeldUp()
  for (let n = 0; n < 1_000; n++) heldUp.again(`m${n}`)
  expect(heldUp.again('m0').times).toBe(2)
  heldUp.again('one more')
  expect(heldUp.again('m0').times).toBe(3)
  expect(heldUp.again('m2').times).toBe(2)
  expect(heldUp.again('m1').times).toBe(1)
})
