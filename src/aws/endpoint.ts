/** Where a request goes: to AWS's own host names, or to a configured endpoint. Pure. */
import { dnsSuffixes } from '../keys/partition.ts';

export interface Target {
  /** `https:` */
  readonly protocol: string;
  /** Without a port. An IPv6 address may be in brackets. */
  readonly hostname: string;
  readonly port?: number | undefined;
}

/**
 * Whether this is an encrypted endpoint of AWS itself. Customers have names below AWS's domains, too (execute-api, elb,
 * compute, s3). With plain HTTP anybody in the network can answer for any name.
 */
export function isOfAws({ protocol, hostname }: Pick<Target, 'protocol' | 'hostname'>): boolean {
  const name = hostname.toLowerCase();
  const suffix = suffixes.find((suffix) => name.endsWith(`.${suffix}`));
  return protocol === 'https:' && suffix !== undefined && ownNames.test(name.slice(0, -suffix.length));
}

/** The suffixes of the partitions, and of dual-stack endpoints. */
const suffixes = [...dnsSuffixes, 'api.aws', 'api.amazonwebservices.com.cn', 'api.amazonwebservices.eu'];

/**
 * The name before the suffix, for the services that we call, also through their VPC endpoints. If a name is missing here,
 * the log calls the endpoint not AWS's own: that is all.
 */
const ownNames =
  /^(vpce-[\da-z-]+\.)?(sts|ssm|secretsmanager|kms|ec2|ec2-instance-connect|oidc|portal\.sso)(-fips)?\.([a-z]{2,}(-[a-z]+)+-\d+\.(vpce\.)?)?$/;

/** The AWS SDK takes `localhost:4566` for the scheme `localhost:`. */
export function isHttp({ protocol }: Pick<Target, 'protocol'>): boolean {
  return protocol === 'https:' || protocol === 'http:';
}

/** Whether nobody in the network can read what is sent: it is encrypted, or stays on this machine. */
export function isPrivate({ protocol, hostname }: Pick<Target, 'protocol' | 'hostname'>): boolean {
  return protocol === 'https:' || isLoopback(hostname);
}

/** @param hostname an IPv6 address may be in brackets */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** `http://127.0.0.1:4566` */
export function originOf({ protocol, hostname, port }: Target): string {
  return `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`;
}
