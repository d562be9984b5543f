/** Which part of AWS a region is in: ARNs and host names differ there. Pure. */

/** @source AWS General Reference, "Amazon Resource Names" */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}

/** What comes behind the region in host names, in endpoints and in `kms:ViaService` alike. */
export function dnsSuffix(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
