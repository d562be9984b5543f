/**
 * The Condition element of a policy statement. Pure.
 * Source: "IAM JSON policy elements: Condition operators" and "Multivalued context keys" in the IAM User Guide.
 */
import { BlockList, isIP } from 'node:net';

import { many, type Condition, type OneOrMany } from './policy-document.ts';
import { matchesArn, matchesText } from './policy-pattern.ts';

/** The request's condition keys and values. Keys are case-insensitive. */
export type RequestContext = Readonly<Record<string, OneOrMany<string>>>;

type Matcher = (pattern: string, value: string) => boolean;

const lower = (text: string): string => text.toLowerCase();
const MATCHERS: Readonly<Record<string, Matcher>> = {
  StringEquals: (pattern, value) => pattern === value,
  StringEqualsIgnoreCase: (pattern, value) => lower(pattern) === lower(value),
  StringLike: matchesText,
  // ArnEquals and ArnLike are equal according to the guide.
  ArnEquals: matchesArn,
  ArnLike: matchesArn,
  Bool: (pattern, value) => lower(pattern) === lower(value),
  NumericEquals: (pattern, value) => Number(value) === Number(pattern),
  NumericLessThan: (pattern, value) => Number(value) < Number(pattern),
  NumericLessThanEquals: (pattern, value) => Number(value) <= Number(pattern),
  NumericGreaterThan: (pattern, value) => Number(value) > Number(pattern),
  NumericGreaterThanEquals: (pattern, value) => Number(value) >= Number(pattern),
  IpAddress: isWithin,
};

interface Operator {
  readonly quantifier: 'ForAnyValue' | 'ForAllValues' | undefined;
  readonly matcher: Matcher;
  readonly negated: boolean;
  readonly ifExists: boolean;
}

/** True if every operator and every key in it matches. */
export function holds(condition: Condition | undefined, context: RequestContext): boolean {
  const known = indexed(context);
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const patterns = many(wanted).map((pattern) => substitute(String(pattern), known));
      return holdsForKey(operator, patterns, known.get(lower(key)) ?? []);
    }),
  );
}

function holdsForKey(
  operatorName: string,
  patterns: readonly (string | undefined)[],
  values: readonly string[],
): boolean {
  if (operatorName === 'Null') return patterns.includes(String(values.length === 0));
  const operator = readOperator(operatorName);
  const satisfies = (value: string): boolean => {
    const matched = patterns.some((pattern) => pattern !== undefined && operator.matcher(pattern, value));
    return matched !== operator.negated;
  };
  if (operator.quantifier === 'ForAllValues') return values.every(satisfies);
  if (values.length === 0) {
    // A negated operator matches a missing key; a quantified one needs a value.
    return operator.ifExists || (operator.negated && operator.quantifier === undefined);
  }
  return operator.negated && operator.quantifier === undefined
    ? values.every(satisfies)
    : values.some(satisfies);
}

function readOperator(name: string): Operator {
  const [, quantifier, base = '', ifExists] =
    /^(?:(ForAnyValue|ForAllValues):)?(\w+?)(IfExists)?$/.exec(name) ?? [];
  const positive = base.replace('Not', '');
  const matcher = MATCHERS[positive];
  if (matcher === undefined) throw new TypeError(`condition operator not modelled: ${name}`);
  return {
    quantifier: quantifier === 'ForAnyValue' || quantifier === 'ForAllValues' ? quantifier : undefined,
    matcher,
    negated: positive !== base,
    ifExists: ifExists !== undefined,
  };
}

/** By lower-case key. */
export function indexed(context: RequestContext): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(context).map(([key, value]) => [lower(key), many(value)]));
}

/** @param range an address, or one with a prefix length */
function isWithin(range: string, address: string): boolean {
  const [network = '', prefix] = range.split('/');
  const type = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, prefix === undefined ? (type === 'ipv6' ? 128 : 32) : Number(prefix), type);
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Policy variables, `${aws:PrincipalAccount}`; undefined if one has no value: then nothing matches. */
export function substitute(
  pattern: string,
  known: ReadonlyMap<string, readonly string[]>,
): string | undefined {
  const missing: string[] = [];
  const text = pattern.replace(/\$\{([^}]+)\}/g, (_, key: string) => {
    if (['*', '?', '$'].includes(key)) return key;
    const [value] = known.get(lower(key)) ?? [];
    if (value === undefined) missing.push(key);
    return value ?? '';
  });
  return missing.length === 0 ? text : undefined;
}
