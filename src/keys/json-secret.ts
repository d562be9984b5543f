/** Secrets of Secrets Manager that hold JSON: the value at one key, or which keys there are. Never a value. Pure. */
import { Failure } from '../errors.ts';
import type { SecretReference } from './reference.ts';

/** More would make no message clearer. */
const mostNamed = 10;

/**
 * The value whole where the reference names no key.
 *
 * @throws KEY_FIELD_MISSING
 */
export function pickField(value: string, reference: SecretReference): string {
  const { text, jsonKey } = reference;
  if (jsonKey === '') return value;
  const members = membersOf(value);
  if (!members) {
    throw new Failure('KEY_FIELD_MISSING', `${text} names a JSON key, and the secret is not a JSON object`, {
      hint: `leave out ":${jsonKey}" if the secret is the key itself`,
    });
  }
  const field = members.get(jsonKey);
  if (typeof field === 'string') return field;
  const what = field === undefined ? 'is missing' : 'is not a string';
  throw new Failure('KEY_FIELD_MISSING', `${text}: "${jsonKey}" ${what} in the secret's JSON`, {
    hint: available(members, reference),
  });
}

/** For JSON that turned out to be no key, although its reference names no part of it: the same failure, and what to do. */
export function explainJson(failure: Failure, value: string, reference: SecretReference): Failure {
  const members = reference.jsonKey === '' ? membersOf(value) : undefined;
  if (!members) return failure;
  return new Failure(failure.code, failure.message, {
    hint: `name a JSON key behind the secret's name; ${available(members, reference)}`,
    cause: failure,
  });
}

function available(members: ReadonlyMap<string, unknown>, { name, ...reference }: SecretReference): string {
  const keys = [...members].filter(([, field]) => typeof field === 'string').map(([key]) => key);
  const [first] = keys;
  if (first === undefined) return 'its JSON has no key whose value is a string';
  const more = keys.length > mostNamed ? ', …' : '';
  const named = keys
    .slice(0, mostNamed)
    .map((key) => JSON.stringify(key.slice(0, 60)))
    .join(', ');
  const scheme = reference.location ? '' : 'secretsmanager:';
  return `its JSON has ${named}${more}: write for example ${scheme}${name}:${first.slice(0, 60)}`;
}

/** Own members only, so that nothing that JavaScript adds is found. */
export function membersOf(value: string): ReadonlyMap<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(value.replace(/^\uFEFF/, ''));
    const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
    return isObject ? new Map(Object.entries(parsed)) : undefined;
  } catch {
    // What JSON.parse says repeats the text.
    return undefined;
  }
}
