/** Reads the members of an SSM request. A wrong type is a SerializationException, as in Systems Manager. */
import type { JsonRecord } from '../wire/aws-json.ts';
import { AwsError, constraintMessage } from '../errors.ts';

export function optionalText(input: JsonRecord, name: string): string | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw serialization(name, 'String');
  return value;
}

export function text(input: JsonRecord, name: string): string {
  const value = optionalText(input, name);
  if (value === undefined) throw missing(name);
  return value;
}

export function texts(input: JsonRecord, name: string): readonly string[] {
  const value = input[name];
  if (value === undefined || value === null) throw missing(name);
  if (!Array.isArray(value)) throw serialization(name, 'List');
  return value.map((item: unknown) => {
    if (typeof item !== 'string') throw serialization(name, 'String');
    return item;
  });
}

export function flag(input: JsonRecord, name: string): boolean {
  const value = input[name] ?? false;
  if (typeof value !== 'boolean') throw serialization(name, 'Boolean');
  return value;
}

export function optionalInteger(input: JsonRecord, name: string): number | undefined {
  const value = input[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value)) throw serialization(name, 'Long');
  return value;
}

export function integer(input: JsonRecord, name: string): number {
  const value = optionalInteger(input, name);
  if (value === undefined) throw missing(name);
  return value;
}

/** One of the values of an enumeration. */
export function choice<T extends string>(
  input: JsonRecord,
  name: string,
  allowed: readonly T[],
): T | undefined {
  const value = optionalText(input, name);
  const found = allowed.find((one) => one === value);
  if (value === undefined || found !== undefined) return found;
  const constraint = `Member must satisfy enum value set: [${allowed.join(', ')}]`;
  throw validation(constraintMessage(memberName(name), value, constraint));
}

export function validation(message: string): AwsError {
  return new AwsError({ code: 'ValidationException', message });
}

/** In messages, members begin in lower case. */
function memberName(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function missing(name: string): AwsError {
  return validation(
    `1 validation error detected: Value null at '${memberName(name)}' failed to satisfy constraint: Member must not be null`,
  );
}

function serialization(name: string, type: string): AwsError {
  return new AwsError({
    code: 'SerializationException',
    message: `${name} can not be converted to a ${type}`,
  });
}

/** `Tags`, of both services. Empty if there are none. */
export function tagsOf(input: JsonRecord): Readonly<Record<string, string>> {
  const value = input['Tags'] ?? [];
  if (!Array.isArray(value)) throw serialization('Tags', 'List');
  const tags = value as readonly { readonly Key: string; readonly Value: string }[];
  return Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}
