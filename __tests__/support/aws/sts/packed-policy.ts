/**
 * The size limits of session policies. Pure.
 *
 * STS packs a session's policies and tags into a binary form with a limited size, and documents neither the form nor
 * the limit. In this model, every element name, operator, condition key, action, effect and version costs one byte.
 * Every other string (ARNs, values) costs its UTF-8 bytes plus two. The limit is from observation: about 16 parameter
 * ARNs of usual length fit, half as many with an encryption context each, 40 do not.
 */
import { AwsError, constraintMessage } from '../errors.ts';

/** AssumeRole: "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters." */
const PLAIN_LIMIT = 2048;
const PACKED_BUDGET = 1280;
const DICTIONARY = /^(2012-10-17|2008-10-17|Allow|Deny|\*|[\w-]+:[\w*?]+)$/;

/** Throws ValidationError. */
export function checkPlainSize(policy: string): void {
  if (policy.length <= PLAIN_LIMIT) return;
  const constraint = `Member must have length less than or equal to ${String(PLAIN_LIMIT)}`;
  throw new AwsError({ code: 'ValidationError', message: constraintMessage('policy', policy, constraint) });
}

/** Percentage of the allowed size, as in PackedPolicySize. Throws PackedPolicyTooLarge. */
export function packedPolicySize(policies: readonly unknown[], tags: readonly string[] = []): number {
  const bytes = [...policies, ...tags].map(packedBytes).reduce((sum, size) => sum + size, 0);
  const percent = Math.ceil((100 * bytes) / PACKED_BUDGET);
  if (percent <= 100) return percent;
  const message =
    policies.length > 0
      ? `Packed policy consumes ${String(percent)}% of allotted space, please use smaller policy.`
      : `Packed size of session tags consumes ${String(percent)}% of allotted space.`;
  throw new AwsError({ code: 'PackedPolicyTooLarge', message });
}

function packedBytes(value: unknown): number {
  if (typeof value === 'string') return DICTIONARY.test(value) ? 1 : Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return 1;
  const members: readonly unknown[] = Object.values(value);
  const names = Array.isArray(value) ? 0 : members.length;
  return members.map(packedBytes).reduce((sum, size) => sum + size, names);
}
