import { z } from 'zod'
import { parseJson } from '../deploy/parse-json.ts'

const claimsSchema = z.object({ idtyp: z.string().optional(), scp: z.string().optional() })

/** Who a token of Azure is for, as role assignments name it; undefined where the token does not say. Nothing of it is checked. */
export function principalTypeOf(token: string): 'User' | 'ServicePrincipal' | undefined {
  const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  const { data } = claimsSchema.safeParse(parseJson(text))
  if (data === undefined) return undefined
  // An app acts for itself, and so without the scope that somebody has granted it.
  return data.idtyp === 'user' || (data.idtyp === undefined && data.scp !== undefined) ? 'User' : 'ServicePrincipal'
}
