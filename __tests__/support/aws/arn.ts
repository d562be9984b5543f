/** Amazon Resource Names, `arn:partition:service:region:account:resource`, and the partition of a Region. */

export interface Arn {
  readonly partition: string;
  readonly service: string;
  readonly region: string;
  readonly account: string;
  /** The whole sixth field, including further colons. */
  readonly resource: string;
}

export function parseArn(text: string): Arn | undefined {
  const [arn, partition, service, region, account, ...resource] = text.split(':');
  if (arn !== 'arn' || !partition || !service || region === undefined || account === undefined)
    return undefined;
  return resource.length === 0
    ? undefined
    : { partition, service, region, account, resource: resource.join(':') };
}

/** For ARNs in tests: a typing error throws at once. */
export function requireArn(text: string): Arn {
  const arn = parseArn(text);
  if (arn === undefined) throw new TypeError(`not an ARN: ${text}`);
  return arn;
}

export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** The last part of an AWS host name, also in `kms:ViaService`. */
export function dnsSuffix(partition: string): string {
  return partition === 'aws-cn' ? 'amazonaws.com.cn' : 'amazonaws.com';
}

/** The name of a role, user or provider without its kind and path: `role/team/ci` → `ci`. */
export function lastSegment(arn: Arn): string {
  return arn.resource.slice(arn.resource.lastIndexOf('/') + 1);
}
