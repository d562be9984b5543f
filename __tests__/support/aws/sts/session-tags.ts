/**
 * The tags of a session: what AssumeRole takes, what a chain of roles carries on, and what policies see. Pure.
 * Source: "Pass session tags in AWS STS" in the IAM User Guide; API_Tag and API_AssumeRole in the STS API Reference.
 */
import { AwsError, constraintMessage } from '../errors.ts';
import type { RequestContext } from '../iam/policy.ts';

/** Key → value. Keys compare without regard to case; their case is kept. */
export type Tags = Readonly<Record<string, string>>;

export interface SessionTags {
  readonly tags: Tags;
  /** Those of the tags that sessions of the next role in a chain have, too. */
  readonly transitive: readonly string[];
}

export interface RequestedTags extends SessionTags {
  /** Of the session that asks. */
  readonly inherited: Tags;
}

const MAX_TAGS = 50;
const lower = (text: string): string => text.toLowerCase();

/** @param session the one that asks, if a session does. Throws ValidationError, InvalidParameterValue */
export function readTags(
  parameters: Readonly<Record<string, string>>,
  session: SessionTags | undefined,
): RequestedTags {
  const tags = members(parameters, 'Key').map(([index, key]) => {
    const value = parameters[`Tags.member.${index}.Value`] ?? '';
    checkMember(`tags.${index}.member.key`, key, { min: 1, max: 128 });
    checkMember(`tags.${index}.member.value`, value, { min: 0, max: 256 });
    return [key, value] as const;
  });
  if (tags.length > MAX_TAGS) {
    const constraint = `Member must have length less than or equal to ${String(MAX_TAGS)}`;
    throw new AwsError({ code: 'ValidationError', message: constraintMessage('tags', '', constraint) });
  }
  const transitive = Object.entries(parameters)
    .filter(([name]) => /^TransitiveTagKeys\.member\.\d+$/.test(name))
    .map(([, key]) => key);
  const inherited = inheritedBy(session);
  checkKeys(
    tags.map(([key]) => lower(key)),
    transitive.map(lower),
    Object.keys(inherited).map(lower),
  );
  return { tags: Object.fromEntries(tags), transitive, inherited };
}

function members(parameters: Readonly<Record<string, string>>, member: string): [string, string][] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    const [, index] = new RegExp(`^Tags\\.member\\.(\\d+)\\.${member}$`).exec(name) ?? [];
    return index === undefined ? [] : [[index, value] as [string, string]];
  });
}

function checkMember(field: string, text: string, { min, max }: { min: number; max: number }): void {
  const constraint =
    text.length < min
      ? `Member must have length greater than or equal to ${String(min)}`
      : text.length > max
        ? `Member must have length less than or equal to ${String(max)}`
        : /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u.test(text)
          ? undefined
          : 'Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';
  if (constraint === undefined) return;
  throw new AwsError({ code: 'ValidationError', message: constraintMessage(field, text, constraint) });
}

function checkKeys(
  keys: readonly string[],
  transitive: readonly string[],
  inherited: readonly string[],
): void {
  const refuse = (message: string): never => {
    throw new AwsError({ code: 'InvalidParameterValue', message });
  };
  if (new Set(keys).size < keys.length) {
    refuse('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
  }
  if (keys.some((key) => inherited.includes(key))) {
    refuse(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    );
  }
  if (transitive.some((key) => !keys.includes(key))) {
    refuse('The specified transitive tag key must be included in the requested tags.');
  }
}

function inheritedBy(session: SessionTags | undefined): Tags {
  const keys = session?.transitive.map(lower) ?? [];
  return Object.fromEntries(Object.entries(session?.tags ?? {}).filter(([key]) => keys.includes(lower(key))));
}

/** Tags of the new session, its inherited ones among them. */
export function tagsOfSession({ tags, transitive, inherited }: RequestedTags): SessionTags {
  return { tags: { ...inherited, ...tags }, transitive: [...Object.keys(inherited), ...transitive] };
}

/** Whether `sts:TagSession` is asked of both sides: a chain needs it for inherited tags, too. */
export function needsTagSession({ tags, inherited }: RequestedTags): boolean {
  return Object.keys({ ...tags, ...inherited }).length > 0;
}

/** What trust policies and the caller's own see of the request. */
export function requestContext({ tags, transitive }: RequestedTags): RequestContext {
  const keys = Object.keys(tags);
  return {
    ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    ...(keys.length > 0 && { 'aws:TagKeys': keys }),
    ...(transitive.length > 0 && { 'sts:TransitiveTagKeys': transitive }),
  };
}

/** What every policy sees of a session that has tags. */
export function principalContext(tags: Tags): RequestContext {
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value]));
}
