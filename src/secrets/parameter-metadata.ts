/** What Parameter Store knows of a parameter beside its value. */
import {
  DescribeParametersCommand,
  type DescribeParametersCommandOutput,
  type ParameterMetadata,
} from '@aws-sdk/client-ssm';

/**
 * A page may be empty although a later one has the parameter.
 *
 * @param names of which one is looked for
 * @param ask sends the command; its errors are thrown
 * @returns undefined if there is none
 * @source Systems Manager API Reference, DescribeParameters: "best-effort basis"
 */
export async function findMetadata(
  names: readonly string[],
  ask: (command: DescribeParametersCommand) => Promise<DescribeParametersCommandOutput>,
): Promise<ParameterMetadata | undefined> {
  const ParameterFilters = [{ Key: 'Name', Option: 'Equals', Values: [...names] }];
  let NextToken: string | undefined;
  do {
    const page = await ask(
      new DescribeParametersCommand({ ParameterFilters, ...(NextToken !== undefined && { NextToken }) }),
    );
    const found = page.Parameters?.find(({ Name = '' }) => names.includes(Name));
    if (found) return found;
    NextToken = page.NextToken;
  } while (NextToken);
  return undefined;
}
