/** Where a request goes: AWS's own host names, and what somebody has put in their place. Pure. */
import { dnsSuffixes } from '../keys/partition.ts';

export interface Target {
  /** `https:` */
  readonly protocol: string;
  /** Without its port; an IPv6 address may stand in brackets. */
  readonly hostname: string;
  readonly port?: number | undefined;
}

/**
 * Whether it is a service of AWS's own, encrypted. Below AWS's domains customers have names as well, which lead to them
 * (execute-api, elb, compute, s3), and whoever is on the way of plain HTTP can answer for any name.
 */
export function isOfAws({ protocol, hostname }: Pick<Target, 'protocol' | 'hostname'>): boolean {
  const name = hostname.toLowerCase();
  const suffix = suffixes.find((suffix) => name.endsWith(`.${suffix}`));
  return protocol === 'https:' && suffix !== undefined && ownNames.test(name.slice(0, -suffix.length));
}

/** Beside those of the partitions: the names of dual-stack endpoints. */
const suffixes = [...dnsSuffixes, 'api.aws', 'api.amazonwebservices.com.cn', 'api.amazonwebservices.eu'];

/**
 * In front of the suffix, for the services that are asked; through a VPC endpoint of theirs, too. A name that is missing here
 * is called somebody else's, and no more.
 */
const ownNames =
  /^(vpce-[\da-z-]+\.)?(sts|ssm|secretsmanager|kms|ec2|ec2-instance-connect|oidc|portal\.sso)(-fips)?\.([a-z]{2,}(-[a-z]+)+-\d+\.(vpce\.)?)?$/;

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
