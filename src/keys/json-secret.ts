/** JSON secrets of Secrets Manager: reads the value of one key, or lists the keys. Messages never show values. Pure. */
import { Failure } from '../errors.ts';
import type { SecretReference } from './reference.ts';

/** Limit of key names in a message. */
const mostNamed = 10;

/**
 * Returns the whole value if the reference names no JSON key.
 *
 * @throws KEY_FIELD_MISSING
 */
export function pickField(value: string, reference: SecretReference): string {
  const { text, jsonKey } = reference;
  if (jsonKey === '') return value;
  const members = membersOf(value);
  if (!members) {
    throw new Failure('KEY_FIELD_MISSING', `${text} names a JSON key, but the secret is not a JSON object`, {
      hint: `remove ":${jsonKey}" if the secret is the key itself`,
    });
  }
  const field = members.get(jsonKey);
  if (typeof field === 'string') return field;
  const what = field === undefined ? 'is missing' : 'is not a string';
  throw new Failure('KEY_FIELD_MISSING', `${text}: "${jsonKey}" ${what} in the secret's JSON`, {
    hint: available(members, reference),
  });
}

/** Adds a hint if the value is JSON and the reference names no JSON key. */
export function explainJson(failure: Failure, value: string, reference: SecretReference): Failure {
  const members = reference.jsonKey === '' ? membersOf(value) : undefined;
  if (!members) return failure;
  return new Failure(failure.code, failure.message, {
    hint: `write a JSON key after the secret's name; ${available(members, reference)}`,
    cause: failure,
  });
}

function available(members: ReadonlyMap<string, unknown>, { name, ...reference }: SecretReference): string {
  const keys = [...members].filter(([, field]) => typeof field === 'string').map(([key]) => key);
  const [first] = keys;
  if (first === undefined) return 'its JSON has no key with a string value';
  const more = keys.length > mostNamed ? ', …' : '';
  const named = keys
    .slice(0, mostNamed)
    .map((key) => JSON.stringify(key.slice(0, 60)))
    .join(', ');
  const scheme = reference.location ? '' : 'secretsmanager:';
  return `its JSON has ${named}${more}: write for example ${scheme}${name}:${first.slice(0, 60)}`;
}

/** Own members only, without inherited ones. */
export function membersOf(value: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(value.replace(/^\uFEFF/, ''));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    // The message of JSON.parse repeats the text.
    return undefined;
  }
}
