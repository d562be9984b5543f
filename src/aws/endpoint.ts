/** Where a request goes: AWS's own host names, and what somebody has put in their place. Pure. */
import { dnsSuffixes } from '../keys/partition.ts';

export interface Target {
  /** `https:` */
  readonly protocol: string;
  /** Without its port; an IPv6 address may stand in brackets. */
  readonly hostname: string;
  readonly port?: number | undefined;
}

/** Whether the name is one that AWS alone can have, VPC endpoints among them. */
export function isOfAws(hostname: string): boolean {
  const name = hostname.toLowerCase();
  return suffixes.some((suffix) => name.endsWith(`.${suffix}`));
}

/** Beside those of the partitions: the names of dual-stack endpoints. */
const suffixes = [...dnsSuffixes, 'api.aws', 'api.amazonwebservices.com.cn', 'api.amazonwebservices.eu'];

/** Whether what is sent there can be read on the way: anywhere but on this machine itself, unless it is encrypted. */
export function isPrivate({ protocol, hostname }: Pick<Target, 'protocol' | 'hostname'>): boolean {
  return protocol === 'https:' || isLoopback(hostname.replace(/^\[(.*)\]$/, '$1'));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** `http://127.0.0.1:4566` */
export function originOf({ protocol, hostname, port }: Target): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
