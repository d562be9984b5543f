/** EC2's filters: every name has to match one of its values. Source: "Filter" in the EC2 API Reference. */
import { AwsError } from '../errors.ts';

export interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/** `Filter.1.Name=tag:Name&Filter.1.Value.1=web-1` */
export function readFilters(parameters: Readonly<Record<string, string>>): Filter[] {
  const filters: Filter[] = [];
  for (let index = 1; ; index += 1) {
    const name = parameters[`Filter.${String(index)}.Name`];
    if (name === undefined) return filters;
    filters.push({ name, values: readList(parameters, `Filter.${String(index)}.Value`) });
  }
}

/** `InstanceId.1=…&InstanceId.2=…` */
export function readList(parameters: Readonly<Record<string, string>>, name: string): string[] {
  const values: string[] = [];
  for (let index = 1; ; index += 1) {
    const value = parameters[`${name}.${String(index)}`];
    if (value === undefined) return values;
    values.push(value);
  }
}

/** @param attribute the values that a filter of this name compares; undefined if the resource has none */
export function matches(
  filters: readonly Filter[],
  attribute: (name: string) => string | undefined,
): boolean {
  return filters.every(({ name, values }) => {
    const value = attribute(name);
    return value !== undefined && values.some((pattern) => expression(pattern).test(value));
  });
}

/** `*` and `?` are wildcards; a backslash makes them literal. Case-sensitive. */
function expression(pattern: string): RegExp {
  const source = pattern.replace(/\\[\s\S]|[\s\S]/g, (part) => {
    if (part === '*') return '[\\s\\S]*';
    if (part === '?') return '[\\s\\S]';
    return (part.length === 2 ? part.slice(1) : part).replace(/[.+^${}()|[\]\\*?]/, '\\$&');
  });
  return new RegExp(`^${source}$`);
}

export function invalidFilter(name: string): AwsError {
  return new AwsError({ code: 'InvalidParameterValue', message: `The filter '${name}' is invalid` });
}
