/**
 * Evaluates identity policies, narrowed by session policies; an explicit Deny wins. Pure. Source: "Policy evaluation
 * logic" in the IAM User Guide.
 */
import { holds, indexed, substitute, type RequestContext } from './policy-condition.ts';
import { many, type PolicyDocument, type Statement } from './policy-document.ts';
import { matchesAction, matchesArn } from './policy-pattern.ts';

export type { RequestContext } from './policy-condition.ts';

export interface AccessRequest {
  /** `ssm:GetParameter` */
  readonly action: string;
  /** An ARN. */
  readonly resource: string;
  readonly context: RequestContext;
}

export type Effect = 'Allow' | 'ExplicitDeny' | 'ImplicitDeny';

export interface PolicySet {
  readonly identity: readonly PolicyDocument[];
  /** Absent: no session policies. Several policies add up. */
  readonly session?: readonly PolicyDocument[] | undefined;
}

/** `by` is the kind of policy in AWS's message. */
export type Decision =
  { readonly allowed: true } | { readonly allowed: false; readonly by: string; readonly explicit: boolean };

export function decide({ identity, session }: PolicySet, request: AccessRequest): Decision {
  const layers = [{ by: 'identity-based', effect: evaluate(identity, request) }];
  if (session !== undefined) layers.push({ by: 'session', effect: evaluate(session, request) });
  const denied = layers.find(({ effect }) => effect === 'ExplicitDeny');
  if (denied !== undefined) return { allowed: false, by: denied.by, explicit: true };
  const silent = layers.find(({ effect }) => effect === 'ImplicitDeny');
  return silent === undefined ? { allowed: true } : { allowed: false, by: silent.by, explicit: false };
}

/** The combined effect of one layer of policies. */
export function evaluate(policies: readonly PolicyDocument[], request: AccessRequest): Effect {
  const effects = policies
    .flatMap((policy) => many(policy.Statement))
    .filter((statement) => applies(statement, request))
    .map((statement) => statement.Effect);
  if (effects.includes('Deny')) return 'ExplicitDeny';
  return effects.includes('Allow') ? 'Allow' : 'ImplicitDeny';
}

function applies(statement: Statement, { action, resource, context }: AccessRequest): boolean {
  return (
    actionMatches(statement, action) &&
    resourceMatches(statement, resource, context) &&
    holds(statement.Condition, context)
  );
}

export function actionMatches({ Action, NotAction }: Statement, action: string): boolean {
  return NotAction === undefined
    ? many(Action).some((pattern) => matchesAction(pattern, action))
    : !many(NotAction).some((pattern) => matchesAction(pattern, action));
}

function resourceMatches(
  { Resource, NotResource }: Statement,
  resource: string,
  context: RequestContext,
): boolean {
  const known = indexed(context);
  const matches = (pattern: string): boolean => {
    const resolved = substitute(pattern, known);
    return resolved !== undefined && matchesArn(resolved, resource);
  };
  return NotResource === undefined ? many(Resource).some(matches) : !many(NotResource).some(matches);
}
