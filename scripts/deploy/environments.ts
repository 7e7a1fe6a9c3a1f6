export const ENVIRONMENTS = ['dev', 'staging', 'production'] as const

export type EnvironmentName = (typeof ENVIRONMENTS)[number]

export interface Environment {
  name: EnvironmentName
  /** Of the deployment at the subscription; its outputs say where everything is. */
  deployment: string
  location: string
  template: string
  parameters: string
  /** Storage, vault and the migrator answer inside the virtual network alone. */
  isPrivate: boolean
}

/** What a deployment to an environment works with. */
export function environmentOf(name: EnvironmentName, location: string, deployment = `taskforce-${name}`): Environment {
  return {
    name,
    deployment,
    location,
    template: 'bicep/main.bicep',
    parameters: `bicep/${name}.bicepparam`,
    isPrivate: name !== 'dev',
  }
}
