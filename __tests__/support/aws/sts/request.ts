/** The common parameters of AssumeRole and AssumeRoleWithWebIdentity, checked like STS. */
import { parseArn } from '../arn.ts';
import { AwsError, constraintMessage } from '../errors.ts';
import type { Iam, Role } from '../iam/iam.ts';
import { checkPlainSize, packedPolicySize } from './packed-policy.ts';
import type { Tags } from './session-tags.ts';
import { parsePolicy, type PolicyDocument } from '../iam/policy-document.ts';

export type QueryParameters = Readonly<Record<string, string>>;

export interface AssumeRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly durationSeconds: number;
}

export interface SessionPolicies {
  /** Undefined: the session has the role's full permissions. */
  readonly policies: readonly PolicyDocument[] | undefined;
  /** Per cent. */
  readonly packedSize: number | undefined;
}

const DEFAULT_DURATION = 3600;
const MAX_POLICY_ARNS = 10;

export function readAssumeRequest(parameters: QueryParameters): AssumeRequest {
  const roleArn = required(parameters, 'RoleArn');
  if (parseArn(roleArn)?.service !== 'iam') throw validationError(`${roleArn} is invalid`);
  const sessionName = required(parameters, 'RoleSessionName');
  check('roleSessionName', sessionName, { min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ });
  const externalId = parameters['ExternalId'];
  if (externalId !== undefined) {
    check('externalId', externalId, { min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/ });
  }
  if (parameters['Policy'] !== undefined) checkPlainSize(parameters['Policy']);
  return { roleArn, sessionName, durationSeconds: readDuration(parameters['DurationSeconds']) };
}

/** Checked after trust: the limits of the role, and the session policies. */
export function checkDuration({ durationSeconds }: AssumeRequest, role: Role, chained: boolean): void {
  if (chained && durationSeconds > 3600) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (durationSeconds > role.maxSessionDuration) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
}

export function readSessionPolicies(
  parameters: QueryParameters,
  { iam, tags }: { readonly iam: Iam; readonly tags: Tags },
): SessionPolicies {
  const arns = Object.entries(parameters)
    .filter(([name]) => /^PolicyArns\.member\.\d+\.arn$/.test(name))
    .map(([, arn]) => arn);
  if (arns.length > MAX_POLICY_ARNS) {
    throw validationError(`The number of PolicyArns can't exceed ${String(MAX_POLICY_ARNS)}`);
  }
  const managed = arns.map((arn) => {
    const document = iam.findPolicy(arn);
    if (document === undefined)
      throw validationError(`The policy ${arn} does not exist or is not attachable.`);
    return document;
  });
  const inline = parameters['Policy'] === undefined ? [] : [parsePolicy(parameters['Policy'], 'permission')];
  const policies = [...inline, ...managed];
  const words = Object.entries(tags).flat();
  if (policies.length + words.length === 0) return { policies: undefined, packedSize: undefined };
  const packedSize = packedPolicySize([...inline, ...arns], words);
  return { policies: policies.length > 0 ? policies : undefined, packedSize };
}

export function required(parameters: QueryParameters, name: string): string {
  const value = parameters[name];
  if (value !== undefined) return value;
  const member = name.charAt(0).toLowerCase() + name.slice(1);
  throw validationError(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );
}

function readDuration(text: string | undefined): number {
  if (text === undefined) return DEFAULT_DURATION;
  const seconds = Number(text);
  if (!/^\d+$/.test(text) || seconds < 900) {
    throw validationError(
      constraintMessage('durationSeconds', text, 'Member must have value greater than or equal to 900'),
    );
  }
  if (seconds > 43_200) {
    throw validationError(
      constraintMessage('durationSeconds', text, 'Member must have value less than or equal to 43200'),
    );
  }
  return seconds;
}

function check(
  member: string,
  value: string,
  { min, max, pattern }: { min: number; max: number; pattern: RegExp },
): void {
  const constraint =
    value.length < min
      ? `Member must have length greater than or equal to ${String(min)}`
      : value.length > max
        ? `Member must have length less than or equal to ${String(max)}`
        : pattern.test(value)
          ? undefined
          : `Member must satisfy regular expression pattern: ${pattern.source.slice(1, -1)}`;
  if (constraint !== undefined) throw validationError(constraintMessage(member, value, constraint));
}

export function validationError(message: string): AwsError {
  return new AwsError({ code: 'ValidationError', message });
}
