/**
 * Which network an address belongs to, as far as one user is likely to own it: the first 24 bits of an IPv4
 * address, the first 48 of an IPv6 one (RFC 4291 §2.2). Text that is no address stands for itself.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/%.*$/s, '').toLowerCase()
  const v4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/.exec(plain)
  if (v4) return `${v4[1]}.0/24`
  const groups = firstGroups(plain)
  return groups ? `${groups.join(':')}::/48` : plain
}

/** The first three groups of an IPv6 address without leading zeros. */
function firstGroups(address: string): string[] | undefined {
  if (!/^[0-9a-f:.]+$/.test(address) || !address.includes(':')) return undefined
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const left = tail === undefined || tail === '' ? 0 : tail.split(':').length
  while (tail !== undefined && groups.length + left < 8) groups.push('0')
  if (tail) groups.push(...tail.split(':'))
  return groups.slice(0, 3).map((group) => group.replace(/^0+(?=.)/, ''))
}
