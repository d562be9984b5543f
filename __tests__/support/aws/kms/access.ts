/** Access to an asymmetric key: its key policy, IAM, and its state. Source: KMS Developer Guide, "Troubleshooting key access". */
import { AwsError } from '../errors.ts';
import { refusalOf, type Caller } from '../iam/caller.ts';
import type { RequestContext } from '../iam/policy.ts';
import { evaluateTrust } from '../iam/trust.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { requestAlias, type Place, type SigningKey, type SigningKeys } from './signing-keys.ts';

export type KmsOperation = (keys: SigningKeys, caller: Caller, input: JsonRecord) => JsonRecord;

export interface KeyWish {
  /** `kms:Sign` */
  readonly action: string;
  /** As in the request. */
  readonly keyId: string;
  readonly context?: RequestContext;
}

export function placeOf({ principal, region }: Caller): Place {
  return { account: principal.account, region };
}

/** The key, if the caller may use it so. */
export function permitted(
  keys: SigningKeys,
  caller: Caller,
  { action, keyId, context }: KeyWish,
): SigningKey {
  const key = keys.find(keyId, placeOf(caller));
  const alias = requestAlias(keyId);
  requireKey(caller, key, {
    action,
    context: {
      ...context,
      'kms:ResourceAliases': keys.aliasesOf(key.arn),
      ...(alias !== undefined && { 'kms:RequestAlias': alias }),
    },
  });
  return key;
}

/** The key policy has to allow; where it names the account, IAM has to allow, too. A session policy always has to. */
function requireKey(
  caller: Caller,
  key: SigningKey,
  { action, context }: { readonly action: string; readonly context: RequestContext },
): void {
  const { arn, roleArn, account } = caller.principal;
  const all = { 'kms:CallerAccount': account, ...caller.context, ...context };
  const { effect, direct } = evaluateTrust(key.policy, {
    caller: { type: 'AWS', account, arns: roleArn === undefined ? [arn] : [arn, roleArn] },
    ...{ action, context: all },
  });
  const refusal = refusalOf(caller, { action, resource: key.arn, context: all });
  const byIam =
    refusal !== undefined && (!direct || refusal.explicit || refusal.bySession || account !== key.account);
  if (effect === 'Allow' && !byIam) return;
  const what = `User: ${arn} is not authorized to perform: ${action} on resource: ${key.arn}`;
  const why =
    effect === 'ExplicitDeny'
      ? 'with an explicit deny in a resource-based policy'
      : effect === 'Allow'
        ? (refusal?.reason ?? '')
        : `because no resource-based policy allows the ${action} action`;
  throw new AwsError({ code: 'AccessDeniedException', message: `${what} ${why}` });
}

/** For actions without a key: CreateKey, ListAliases. */
export function requireAction(caller: Caller, action: string, resource = '*'): void {
  const refusal = refusalOf(caller, { action, resource });
  if (refusal === undefined) return;
  throw new AwsError({ code: 'AccessDeniedException', message: `${refusal.message} ${refusal.reason}` });
}

/** Source: KMS Developer Guide, "Key states of AWS KMS keys". */
export function requireUsable({ arn, state }: SigningKey): void {
  if (state === 'Enabled') return;
  if (state === 'Disabled') throw new AwsError({ code: 'DisabledException', message: `${arn} is disabled.` });
  const is = {
    PendingDeletion: 'pending deletion',
    PendingImport: 'pending import',
    Unavailable: 'unavailable',
  };
  throw new AwsError({ code: 'KMSInvalidStateException', message: `${arn} is ${is[state]}.` });
}
