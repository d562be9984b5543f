/** AssumeRoleWithWebIdentity, AssumeRole, GetCallerIdentity. */
import { requireArn } from '../arn.ts';
import type { XmlTree } from '../wire/aws-query.ts';
import { refusalOf, type Caller } from '../iam/caller.ts';
import { AwsError } from '../errors.ts';
import { assumedRoleArn, type Credentials, type Iam, type Role } from '../iam/iam.ts';
import {
  checkDuration,
  readAssumeRequest,
  readSessionPolicies,
  required,
  validationError,
  type AssumeRequest,
  type QueryParameters,
} from './request.ts';
import {
  needsTagSession,
  readTags,
  requestContext,
  tagsOfSession,
  type RequestedTags,
} from './session-tags.ts';
import { evaluateTrust } from '../iam/trust.ts';
import { verifyWebIdentity } from './web-identity.ts';

export interface StsStore {
  readonly iam: Iam;
  readonly now: Date;
}

export async function assumeRoleWithWebIdentity(
  { iam, now }: StsStore,
  parameters: QueryParameters,
): Promise<XmlTree> {
  const action = 'sts:AssumeRoleWithWebIdentity';
  const request = readAssumeRequest(parameters);
  const token = required(parameters, 'WebIdentityToken');
  if (token.length < 4 || token.length > 20_000) {
    throw validationError('The web identity token must have between 4 and 20000 characters');
  }
  const identity = await verifyWebIdentity(token, { iam, role: requireArn(request.roleArn), now });
  const role = iam.findRole(request.roleArn);
  const caller = { type: 'Federated', providerArn: identity.provider.arn } as const;
  const context = { ...identity.context, 'sts:RoleSessionName': request.sessionName };
  // STS has the same message for a missing role and for one that does not trust the token.
  if (role === undefined || evaluateTrust(role.trustPolicy, { caller, action, context }).effect !== 'Allow') {
    throw accessDenied(`Not authorized to perform ${action}`);
  }
  checkDuration(request, role, false);
  return {
    Audience: identity.audience,
    ...openSession(iam, { role, request, parameters }),
    Provider: identity.provider.arn,
    SubjectFromWebIdentityToken: identity.subject,
  };
}

export function assumeRole({ iam }: StsStore, parameters: QueryParameters, caller: Caller): XmlTree {
  const request = readAssumeRequest(parameters);
  const tags = readTags(parameters, caller.principal.tags);
  const role = iam.findRole(request.roleArn);
  const asked = { request, tags, externalId: parameters['ExternalId'] };
  requireTrust(role, caller, { ...asked, action: 'sts:AssumeRole' });
  if (needsTagSession(tags)) requireTrust(role, caller, { ...asked, action: 'sts:TagSession' });
  checkDuration(request, role, caller.principal.roleArn !== undefined);
  return openSession(iam, { role, request, parameters, tags });
}

export function getCallerIdentity({ principal }: Caller): XmlTree {
  return { Arn: principal.arn, UserId: principal.userId, Account: principal.account };
}

interface AskedTrust {
  readonly request: AssumeRequest;
  readonly action: 'sts:AssumeRole' | 'sts:TagSession';
  readonly tags: RequestedTags;
  readonly externalId: string | undefined;
}

/**
 * Both sides have to agree: the caller's policies and the role's trust policy. Within one account, a trust policy that
 * names the caller itself is enough, unless the caller's policies deny it.
 */
function requireTrust(
  role: Role | undefined,
  caller: Caller,
  { request, action, tags, externalId }: AskedTrust,
): asserts role is Role {
  const { principal } = caller;
  const arns = [principal.arn, ...(principal.roleArn === undefined ? [] : [principal.roleArn])];
  const context = {
    ...caller.context,
    ...requestContext(tags),
    'sts:RoleSessionName': request.sessionName,
    ...(externalId !== undefined && { 'sts:ExternalId': externalId }),
  };
  const trust =
    role &&
    evaluateTrust(role.trustPolicy, {
      caller: { type: 'AWS', account: principal.account, arns },
      action,
      context,
    });
  const refusal = refusalOf(caller, { action, resource: request.roleArn, context });
  const sameAccount = role?.account === principal.account;
  const ownSideAgrees =
    refusal === undefined ||
    (sameAccount && trust?.direct === true && !refusal.explicit && !refusal.bySession);
  if (trust?.effect === 'Allow' && ownSideAgrees) return;
  throw accessDenied(
    `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${request.roleArn}`,
  );
}

interface Opening {
  readonly role: Role;
  readonly request: AssumeRequest;
  readonly parameters: QueryParameters;
  readonly tags?: RequestedTags;
}

function openSession(iam: Iam, { role, request, parameters, tags }: Opening): XmlTree {
  const { roleArn, sessionName, durationSeconds } = request;
  const { policies: sessionPolicies, packedSize } = readSessionPolicies(parameters, {
    iam,
    tags: tags?.tags ?? {},
  });
  const session = { roleArn, sessionName, durationSeconds, sessionPolicies };
  const credentials = iam.createSession({ ...session, ...(tags && { tags: tagsOfSession(tags) }) });
  return {
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${sessionName}`,
      Arn: assumedRoleArn(role, sessionName),
    },
    Credentials: credentialsTree(credentials),
    PackedPolicySize: packedSize,
  };
}

function credentialsTree({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration,
}: Required<Credentials>): XmlTree {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration.toISOString().replace('.000Z', 'Z'),
  };
}

function accessDenied(message: string): AwsError {
  return new AwsError({ code: 'AccessDenied', message, status: 403 });
}
