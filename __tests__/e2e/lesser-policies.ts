import type { PolicyDocument } from '../support/aws/local-aws.ts';

/** The policy without each of its statements in turn. */
export function lesserPolicies({
  Statement,
  ...rest
}: PolicyDocument): [left: string, document: PolicyDocument][] {
  const all = [Statement].flat();
  return all.map((left) => [left.Sid ?? '', { ...rest, Statement: all.filter((one) => one !== left) }]);
}
