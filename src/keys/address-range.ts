/** Ranges of IP addresses, as sshd reads them in `source-address`. Pure. */

/**
 * @param text an address, or `ADDRESS/BITS`
 * @returns what is wrong with it; undefined if sshd accepts it
 * @source openssh-portable, addrmatch.c, addr_match_cidr_list: a range with bits behind its mask makes the certificate
 *   invalid
 */
export function rangeProblem(text: string): string | undefined {
  const [, address = '', mask] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bits = bitsOf(address);
  if (bits === undefined) return 'is not an IP address or a range in CIDR notation';
  const length = mask === undefined ? bits.length : Number(mask);
  if (length > bits.length) return `has a mask of more than ${bits.length} bits`;
  return bits.slice(length).includes('1') ? `has bits behind its mask of ${length} bits` : undefined;
}

/** The address as ones and zeros. */
function bitsOf(address: string): string | undefined {
  const bytes = address.includes(':') ? bytesOf6(address) : bytesOf4(address);
  return bytes?.map((byte) => byte.toString(2).padStart(8, '0')).join('');
}

function bytesOf4(address: string): number[] | undefined {
  const parts = address.split('.');
  const areBytes = parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return parts.length === 4 && areBytes ? parts.map(Number) : undefined;
}

/** URL knows the grammar, and writes each address in one form (WHATWG URL, "IPv6 serializer"). */
function bytesOf6(address: string): number[] | undefined {
  if (!/^[0-9a-f:.]+$/i.test(address) || !URL.canParse(`http://[${address}]/`)) return undefined;
  const groups = (text = ''): number[] =>
    text
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16));
  const [start, end] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const [left, right] = [groups(start), groups(end)];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => 0);
  return [...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]);
}
