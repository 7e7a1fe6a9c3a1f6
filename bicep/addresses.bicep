// Addresses of the internet that are let in, each one address or a range. Every service wants them in a shape of its own.

@export()
@description('As storage and vaults take them: they refuse ranges of one or two addresses.')
func asAddressRules(addresses string[]) string[] =>
  flatten(map(
    addresses,
    one =>
      endsWith(one, '/32')
        ? [parseCidr(one).network]
        : endsWith(one, '/31') ? [parseCidr(one).network, parseCidr(one).broadcast] : [one]
  ))

@export()
@description('With the length of its prefix.')
func asRange(address string) string => contains(address, '/') ? address : '${address}/32'

@export()
@description('Name of the firewall rule of Postgres. By the address and not by its place in the list, or else one that is taken off would have the others renamed.')
func firewallRuleName(address string) string =>
  address == '0.0.0.0' ? 'azure-services' : 'taskforce-${replace(replace(address, '.', '-'), '/', '_')}'
