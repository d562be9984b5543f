/** What STS refuses → our code, the role, and a hint with the trust policy that fixes it. */
import { Failure } from '../errors.ts';
import { awsFailure, readAwsError } from './failures.ts';
import type { SessionTag } from './caller.ts';
import { audienceText, type Claims, type Token } from './token.ts';

/** A new role, or a new trust policy, takes some seconds until all of STS knows it. */
export function mayPass(error: unknown): boolean {
  return /^(AccessDenied|InvalidIdentityToken)/.test(readAwsError(error).name);
}

/** STS could not fetch the keys of the identity provider: that says nothing about the role. */
export function lacksKeys(error: unknown): boolean {
  const { name, message } = readAwsError(error);
  return /^InvalidIdentityToken/.test(name) && /retrieve verification key/i.test(message);
}

/** Whether STS refuses the session policy. */
export function isMalformedPolicy(error: unknown): boolean {
  return readAwsError(error).name.startsWith('MalformedPolicyDocument');
}

/** The policy is short enough, but too large after STS has packed it. */
export function isPackedTooLarge(error: unknown): boolean {
  return readAwsError(error).name.startsWith('PackedPolicyTooLarge');
}

/** The role in the request, and what was sent with it. */
export interface AskedRole {
  readonly arn: string;
  readonly region: string;
  /** Absent if other credentials assumed the role. */
  readonly token: Token | undefined;
  /** The previous role in a chain. */
  readonly before?: string | undefined;
  readonly position?: string | undefined;
  readonly externalId?: string | undefined;
  readonly tags?: readonly SessionTag[];
}

export function assumeRoleFailure(error: unknown, asked: AskedRole): Failure {
  if (error instanceof Failure) return error;
  const { arn, region, token, position } = asked;
  const claims = token?.claims;
  const { name, message } = readAwsError(error);
  const denied = (hint: string): Failure =>
    new Failure(
      'ASSUME_ROLE_DENIED',
      `AWS STS did not give the role ${arn}${position ? ` (${position})` : ''}: ${message}`,
      { hint, cause: error },
    );
  if (/^AccessDenied/.test(name)) return denied(claims ? trustHint(arn, claims) : callerHint(asked, message));
  if (lacksKeys(error)) return denied(keysHint(claims));
  if (name === 'ExpiredTokenException' && token) return denied(endedHint(token));
  if (/^InvalidIdentityToken/.test(name) && claims) return denied(providerHint(claims, message));
  if (/^(ValidationError|MalformedPolicyDocument|PackedPolicyTooLarge)/.test(name)) {
    return denied(validationHint(message));
  }
  if (/^InvalidParameterValue/.test(name)) return denied(inheritedHint);
  if (/^RegionDisabled/.test(name)) {
    return denied(`activate STS in ${region} for the account, or choose another aws-region`);
  }
  return awsFailure(error, { service: 'sts', region, resource: arn });
}

function trustHint(arn: string, claims: Claims): string {
  const issuer = claims.iss.replace(/^https:\/\//, '');
  const condition = { StringEquals: { [`${issuer}:aud`]: claims.aud, [`${issuer}:sub`]: claims.sub } };
  const [, partition = 'aws', , , account = ''] = arn.split(':');
  return (
    `the token of this job has sub ${claims.sub}, aud ${audienceText(claims)} and iss ${claims.iss}; ` +
    `let the trust policy of the role say Principal {"Federated":"arn:${partition}:iam::${account}:oidc-provider/${issuer}"}, ` +
    `Action "sts:AssumeRoleWithWebIdentity", "Condition":${JSON.stringify(condition)}`
  );
}

const inheritedHint =
  'the credentials that ask have a transitive session tag with a key of custom-tags already: write another key, or leave it out';

/** Across accounts both must allow it: the trust policy of the role, and the policies of the caller. */
function callerHint({ arn, before, externalId, tags = [] }: AskedRole, message: string): string {
  const [, named] = /User: (\S+)/.exec(message) ?? [];
  const user = named === undefined ? 'the caller (aws sts get-caller-identity shows it)' : principalOf(named);
  // A session passes its transitive tags on, even if custom-tags is empty.
  const tagging = tags.length > 0 || message.includes('sts:TagSession');
  const Action = tagging ? ['sts:AssumeRole', 'sts:TagSession'] : 'sts:AssumeRole';
  const allow = JSON.stringify({ Effect: 'Allow', Action, Resource: arn });
  const condition = externalId && { StringEquals: { 'sts:ExternalId': externalId } };
  if (before === undefined) {
    const id = externalId ? ` and the external id ${externalId} (or none)` : '';
    const both = tagging ? ' with the same actions' : '';
    return `let the role's trust policy name ${user}${id}${both}, and allow it ${allow}`;
  }
  const Condition = condition ? { Condition: condition } : {};
  const trust = { Effect: 'Allow', Principal: { AWS: before }, Action, ...Condition };
  return `let the trust policy of ${arn} say ${JSON.stringify(trust)}, and the policy of ${before} ${allow}`;
}

/**
 * The role of a session: a policy that named the session would stop working with the next one. The ARN of a session has no
 * path.
 *
 * @source AWS IAM User Guide, "AWS JSON policy elements: Principal"
 */
function principalOf(caller: string): string {
  const [, partition, account, role] = /^arn:([\w-]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(caller) ?? [];
  if (role === undefined) return caller;
  return `arn:${partition ?? ''}:iam::${account ?? ''}:role/${role} (with the path of the role, if it has one)`;
}

function providerHint(claims: Claims, message: string): string {
  const { iss } = claims;
  const aud = audienceText(claims);
  const make = `aws iam create-open-id-connect-provider --url ${iss} --client-id-list ${aud}`;
  return message.includes('audience')
    ? `add ${aud} to the audiences of the identity provider in the role's account, or set the input audience to one that it has`
    : `the role's account needs an identity provider for ${iss}: ${make}`;
}

function keysHint(claims: Claims | undefined): string {
  const issuer = claims?.iss ?? 'the issuer of the token';
  return `run the job again: this passes by itself where ${issuer} is GitHub's own; AWS has to reach /.well-known/openid-configuration and the keys there from the internet`;
}

/** A token from GitHub is new, so the clock of the server that made it is behind the clock of AWS. */
function endedHint({ claims: { iss }, file }: Token): string {
  if (file !== undefined) {
    return `the token in ${file} is too old: check that what writes it still runs, or let a step right before this one write it`;
  }
  return `the token was new: check the clock of the server that makes it (${iss}), and that of this machine`;
}

function validationHint(message: string): string {
  if (message.includes('role chaining')) {
    return 'set role-duration-seconds to 3600 or less: AWS limits the session of a role assumed from another role to one hour';
  }
  if (message.includes('MaxSessionDuration')) {
    return "set role-duration-seconds to no more than the role's maximum session duration, or raise that";
  }
  if (/policy \S+ does not exist/.test(message)) {
    return 'check managed-session-policies: each policy must be in the account of the role, or be one of AWS';
  }
  if (message.includes('session tags consumes')) {
    return 'write fewer or shorter tags in custom-tags: AWS packs all tags of a session together, and limits their size';
  }
  return 'check role-to-assume, role-session-name, role-duration-seconds and session-policy';
}
