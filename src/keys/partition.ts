/** AWS partitions by Region. ARNs and host names differ between partitions. Pure. */

/** Prefix of the Region's name, partition, DNS suffix. @source the partitions.json of the AWS SDKs */
const partitions = [
  ['cn-', 'aws-cn', 'amazonaws.com.cn'],
  ['us-gov-', 'aws-us-gov', 'amazonaws.com'],
  ['eusc-', 'aws-eusc', 'amazonaws.eu'],
  ['us-iso-', 'aws-iso', 'c2s.ic.gov'],
  ['us-isob-', 'aws-iso-b', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'aws-iso-e', 'cloud.adc-e.uk'],
  ['us-isof-', 'aws-iso-f', 'csp.hci.ic.gov'],
  ['', 'aws', 'amazonaws.com'],
] as const;

/** @source AWS General Reference, "Amazon Resource Names" */
export function partitionOf(region: string): string {
  return partitions.find(([beginning]) => region.startsWith(beginning))?.[1] ?? 'aws';
}

/** The audience of an OIDC token for AWS STS. @source AWS China documentation, "IAM": STS has its own name there */
export function stsAudience(partition: string): string {
  return partition === 'aws-cn' ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com';
}

/** The domain after the Region, in host names of endpoints and in `kms:ViaService`. */
export function dnsSuffix(region: string): string {
  return partitions.find(([beginning]) => region.startsWith(beginning))?.[2] ?? 'amazonaws.com';
}

/** The suffixes of all partitions. */
export const dnsSuffixes: readonly string[] = [...new Set(partitions.map(([, , suffix]) => suffix))];
