import { z } from 'zod'

/**
 * What errors of Azure's SDKs, of the network and of the identity have in common. Nothing else of them is shown or kept: their
 * messages and requests hold accounts, and addresses with signatures.
 */
const failureSchema = z.object({
  name: z.string().catch(''),
  code: z
    .string()
    .regex(/^\w{1,64}$/)
    .optional()
    .catch(undefined),
  statusCode: z.int().optional().catch(undefined),
})

export type AzureFailure = z.infer<typeof failureSchema>

/** Reads whatever an SDK threw. */
export function azureFailureOf(error: unknown): AzureFailure {
  return failureSchema.safeParse(error).data ?? { name: '' }
}
