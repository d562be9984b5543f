/** Which part of AWS a region is in: ARNs and host names differ there. Pure. */

/** Beginning of the region's name, the partition, its DNS suffix. @source the partitions.json of the AWS SDKs */
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

/** What comes behind the region in host names, in endpoints and in `kms:ViaService` alike. */
export function dnsSuffix(region: string): string {
  return partitions.find(([beginning]) => region.startsWith(beginning))?.[2] ?? 'amazonaws.com';
}

/** Those of all partitions. */
export const dnsSuffixes: readonly string[] = [...new Set(partitions.map(([, , suffix]) => suffix))];
