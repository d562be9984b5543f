/** GetParameter, GetParameters, GetParameterHistory. */
import type { JsonRecord } from '../wire/aws-json.ts';
import type { Caller } from '../iam/caller.ts';
import { AwsError, constraintMessage } from '../errors.ts';
import { parseParameterName, type ParameterRequest } from './parameter-name.ts';
import { bindTo, sealedValue, type Parameter, type ParameterVersion } from './parameters.ts';
import { locate, requireKey, requirePermission, type SsmStore } from './access.ts';
import { flag, optionalInteger, optionalText, text, texts, validation } from './input.ts';

export type SsmOperation = (store: SsmStore, caller: Caller, input: JsonRecord) => JsonRecord;

interface Found {
  readonly parameter: Parameter;
  readonly version: ParameterVersion;
  readonly selector: string | undefined;
}

const MAX_NAMES = 10;
const MAX_HISTORY = 50;

export const getParameter: SsmOperation = (store, caller, input) => {
  const action = 'ssm:GetParameter';
  const request = parseParameterName(text(input, 'Name'), placeOf(caller));
  requirePermission(caller, action, request.arn);
  const parameter = locate(store, caller, { request, action });
  if (parameter === undefined) throw parameterNotFound();
  const version = select(parameter, request.selector);
  if (version === undefined) throw versionNotFound(request);
  const found = { parameter, version, selector: request.selector };
  return { Parameter: present(found, reader(store, caller, flag(input, 'WithDecryption'))) };
};

/** A missing name is reported; a denied one, or one with a denied key, fails the whole call. */
export const getParameters: SsmOperation = (store, caller, input) => {
  const action = 'ssm:GetParameters';
  const names = texts(input, 'Names');
  checkNames(names);
  const requests = names.map((name) => parseParameterName(name, placeOf(caller)));
  for (const { arn } of requests) requirePermission(caller, action, arn);
  const read = reader(store, caller, flag(input, 'WithDecryption'));
  const found: Found[] = [];
  const invalid: string[] = [];
  for (const request of requests) {
    const parameter = locate(store, caller, { request, action });
    const version = parameter && select(parameter, request.selector);
    if (parameter === undefined || version === undefined) invalid.push(request.requested);
    else found.push({ parameter, version, selector: request.selector });
  }
  // The API does not promise an order. Sorted by name, it usually differs from the request.
  found.sort((one, other) => (one.parameter.name < other.parameter.name ? -1 : 1));
  return { Parameters: found.map((one) => present(one, read)), InvalidParameters: invalid };
};

export const getParameterHistory: SsmOperation = (store, caller, input) => {
  const action = 'ssm:GetParameterHistory';
  const request = parseParameterName(text(input, 'Name'), placeOf(caller));
  requirePermission(caller, action, request.arn);
  const parameter = locate(store, caller, { request, action });
  if (parameter === undefined) throw parameterNotFound();
  const read = reader(store, caller, flag(input, 'WithDecryption'));
  const { shown, next } = pageOf(parameter.versions, input);
  const versions = shown.map((version) => ({
    ...present({ parameter, version, selector: undefined }, read),
    // ParameterHistory has no ARN.
    ARN: undefined,
    KeyId: version.keyArn,
    Tier: version.tier,
    Labels: [...version.labels],
    LastModifiedUser: caller.principal.arn,
  }));
  return { Parameters: versions, ...(next !== undefined && { NextToken: next }) };
};

/** Source: GetParameterHistory, `MaxResults`: at most 50, the oldest version first. */
function pageOf<T>(all: readonly T[], input: JsonRecord): { shown: readonly T[]; next: string | undefined } {
  const size = Math.min(MAX_HISTORY, optionalInteger(input, 'MaxResults') ?? MAX_HISTORY);
  const first = Number(optionalText(input, 'NextToken') ?? 0);
  const end = first + size;
  return { shown: all.slice(first, end), next: end < all.length ? String(end) : undefined };
}

export function placeOf({ principal, region }: Caller): { account: string; region: string } {
  return { account: principal.account, region };
}

export function parameterNotFound(): AwsError {
  // Systems Manager sends no message with this error.
  return new AwsError({ code: 'ParameterNotFound', message: '' });
}

function versionNotFound({ name, selector = '' }: ParameterRequest): AwsError {
  const wanted = selector.slice(1);
  const kind = /^\d+$/.test(wanted) ? 'version' : 'label';
  return new AwsError({
    code: 'ParameterVersionNotFound',
    message: `Systems Manager could not find ${kind} ${wanted} of ${name}. Verify the ${kind} and try again.`,
  });
}

function checkNames(names: readonly string[]): void {
  const shown = `[${names.join(', ')}]`;
  if (names.length === 0) {
    throw validation(constraintMessage('names', shown, 'Member must have length greater than or equal to 1'));
  }
  if (names.length > MAX_NAMES) {
    throw validation(
      constraintMessage('names', shown, `Member must have length less than or equal to ${String(MAX_NAMES)}`),
    );
  }
  if (new Set(names).size < names.length) {
    throw validation(`Duplicate parameter names are not allowed in a single request: ${shown}`);
  }
}

export function select({ versions }: Parameter, selector: string | undefined): ParameterVersion | undefined {
  if (selector === undefined) return versions.at(-1);
  const wanted = selector.slice(1);
  return versions.find(({ version, labels }) => String(version) === wanted || labels.has(wanted));
}

type Read = (parameter: Parameter, version: ParameterVersion) => string;

export function reader({ kms, parameters }: SsmStore, caller: Caller, withDecryption: boolean): Read {
  return (parameter, version) => {
    const { keyArn } = version;
    if (keyArn === undefined || !withDecryption) return sealedValue(version);
    requireKey(kms, caller, { action: 'kms:Decrypt', keyArn, ...bindTo(parameter.arn) });
    return parameters.reveal(version, parameter.arn);
  };
}

export function present({ parameter, version, selector }: Found, read: Read): JsonRecord {
  return {
    ARN: parameter.arn,
    DataType: 'text',
    LastModifiedDate: version.lastModified.getTime() / 1000,
    Name: parameter.name,
    ...(selector !== undefined && { Selector: selector }),
    Type: version.type,
    Value: read(parameter, version),
    Version: version.version,
  };
}
