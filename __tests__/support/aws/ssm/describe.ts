/** DescribeParameters, with the filter that a client needs to find one name. */
import { validation } from './input.ts';
import { requirePermission } from './access.ts';
import { placeOf, type SsmOperation } from './read.ts';

interface Filter {
  readonly Key: string;
  readonly Option?: string;
  readonly Values: readonly string[];
}

/** The permission has no resource: Service Authorization Reference, "Actions defined by AWS Systems Manager". */
export const describeParameters: SsmOperation = ({ parameters, kms }, caller, input) => {
  const { account, region } = placeOf(caller);
  requirePermission(caller, 'ssm:DescribeParameters', `arn:aws:ssm:${region}:${account}:*`);
  const filters = (input['ParameterFilters'] ?? []) as readonly Filter[];
  if (filters.some(({ Key, Option }) => Key !== 'Name' || Option !== 'Equals')) {
    throw validation('This local AWS only knows the filter Name Equals.');
  }
  const aliasOrArn = (keyArn: string | undefined): string | undefined =>
    keyArn && (kms.aliasOf(keyArn) ?? keyArn);
  const named = filters.flatMap(({ Values }) => Values);
  const found = parameters
    .under({ account, region }, '')
    .filter(({ name }) => filters.length === 0 || named.includes(name));
  if (parameters.startsWithEmptyPage && input['NextToken'] === undefined) {
    return { Parameters: [], NextToken: 'the next page' };
  }
  return {
    Parameters: found.map(({ name, arn, versions }) => {
      const latest = versions.at(-1);
      return {
        ...{ Name: name, ARN: arn, Type: latest?.type, Tier: latest?.tier, Version: latest?.version },
        ...{ KeyId: latest?.keyId ?? aliasOrArn(latest?.keyArn), Description: latest?.description },
      };
    }),
  };
};
