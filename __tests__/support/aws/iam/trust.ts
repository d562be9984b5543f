/** Evaluates a role's trust policy. Pure. */
import { parseArn } from '../arn.ts';
import { holds, type RequestContext } from './policy-condition.ts';
import { many, type PolicyDocument, type PrincipalElement } from './policy-document.ts';
import { actionMatches, type Effect } from './policy.ts';

/** The caller: an AWS identity, an OIDC provider's token, or an AWS service. */
export type TrustCaller =
  | { readonly type: 'AWS'; readonly account: string; readonly arns: readonly string[] }
  | { readonly type: 'Federated'; readonly providerArn: string }
  | { readonly type: 'Service'; readonly service: string };

export interface TrustRequest {
  readonly caller: TrustCaller;
  /** `sts:AssumeRole` or `sts:AssumeRoleWithWebIdentity` */
  readonly action: string;
  readonly context: RequestContext;
}

export interface TrustVerdict {
  readonly effect: Effect;
  /**
   * Whether the policy names the principal itself or `*`, and not only its account. Within one account, the caller's
   * identity policies then only must not deny ("Role trust policies" in the IAM User Guide).
   */
  readonly direct: boolean;
}

export function evaluateTrust(policy: PolicyDocument, request: TrustRequest): TrustVerdict {
  const matching = many(policy.Statement)
    .filter(
      (statement) => actionMatches(statement, request.action) && holds(statement.Condition, request.context),
    )
    .map((statement) => ({ statement, match: principalMatch(statement.Principal, request.caller) }))
    .filter(({ match }) => match !== 'none');
  if (matching.some(({ statement }) => statement.Effect === 'Deny')) {
    return { effect: 'ExplicitDeny', direct: false };
  }
  return {
    effect: matching.length > 0 ? 'Allow' : 'ImplicitDeny',
    direct: matching.some(({ match }) => match === 'direct'),
  };
}

function principalMatch(
  principal: PrincipalElement | undefined,
  caller: TrustCaller,
): 'none' | 'account' | 'direct' {
  if (principal === undefined) return 'none';
  if (principal === '*') return 'direct';
  const named = many(principal[caller.type]);
  if (caller.type === 'Federated') return named.includes(caller.providerArn) ? 'direct' : 'none';
  if (caller.type === 'Service') return named.includes(caller.service) ? 'direct' : 'none';
  if (named.includes('*') || caller.arns.some((arn) => named.includes(arn))) return 'direct';
  return named.some((name) => namesAccount(name, caller.account)) ? 'account' : 'none';
}

/** `111122223333` and `arn:aws:iam::111122223333:root` mean the same: the account decides. */
function namesAccount(name: string, account: string): boolean {
  if (name === account) return true;
  const arn = parseArn(name);
  return arn?.service === 'iam' && arn.account === account && arn.resource === 'root';
}
