/** PutParameter, AddTagsToResource, LabelParameterVersion, UnlabelParameterVersion, DeleteParameter. */
import type { Caller } from '../iam/caller.ts';
import { AwsError, constraintMessage } from '../errors.ts';
import type { JsonRecord } from '../wire/aws-json.ts';
import { parameterArn } from './parameter-name.ts';
import {
  bindTo,
  moveLabels,
  tierFor,
  type Parameter,
  type ParameterType,
  type ParameterVersion,
} from './parameters.ts';
import { requireKey, requirePermission, type SsmStore } from './access.ts';
import {
  choice,
  flag,
  integer,
  optionalInteger,
  optionalText,
  tagsOf,
  text,
  texts,
  validation,
} from './input.ts';
import { parameterNotFound, placeOf, type SsmOperation } from './read.ts';

const MAX_LABELS = 10;
const TYPES = ['String', 'StringList', 'SecureString'] as const;
const TIERS = ['Standard', 'Advanced', 'Intelligent-Tiering'] as const;

export const putParameter: SsmOperation = (store, caller, input) => {
  const name = text(input, 'Name');
  const place = placeOf(caller);
  const arn = parameterArn(place, name);
  requirePermission(caller, 'ssm:PutParameter', arn);
  if (/^\/?aws/i.test(name)) {
    throw accessDenied(`No access to reserved parameter name: ${name}.`);
  }
  // Source: PutParameter, `Name`: the limit of 1,011 characters applies to the ARN.
  if (arn.length > 1011) {
    throw validation(constraintMessage('name', name, 'Member must have length less than or equal to 1011'));
  }
  const tagged = input['Tags'] !== undefined;
  if (tagged) requirePermission(caller, 'ssm:AddTagsToResource', arn);
  const existing = store.parameters.find(place, name);
  const overwrite = flag(input, 'Overwrite');
  checkOverwrite(existing, { overwrite, tagged });
  const latest = existing?.versions.at(-1);
  const value = text(input, 'Value');
  const tier = tierFor(value, choice(input, 'Tier', TIERS) ?? latest?.tier ?? 'Standard', latest?.tier);
  const type = choice(input, 'Type', TYPES) ?? latest?.type;
  if (type === undefined) throw validation('A parameter type is required when you create a parameter.');
  if (latest !== undefined && latest.type !== type) {
    // Source: PutParameter, "Errors".
    throw new AwsError({
      code: 'HierarchyTypeMismatchException',
      message: `The parameter ${name} is of type ${latest.type}, which cannot be changed to ${type}.`,
    });
  }
  const description = optionalText(input, 'Description');
  const keyId = keyFor(type, optionalText(input, 'KeyId'));
  if (keyId !== undefined) {
    const keyArn = store.kms.resolve(keyId, place);
    // An advanced parameter is encrypted with a data key, by the AWS Encryption SDK.
    const action = tier === 'Advanced' ? 'kms:GenerateDataKey' : 'kms:Encrypt';
    requireKey(store.kms, caller, { action, keyArn, ...bindTo(arn) });
  }
  const stored = store.parameters.put({
    ...place,
    name,
    value,
    type,
    tier,
    ...(keyId !== undefined && { keyId }),
    ...(description !== undefined && { description }),
    tags: tagsOf(input),
  });
  return { Version: stored.version, Tier: stored.tier };
};

function keyFor(type: ParameterType, keyId: string | undefined): string | undefined {
  if (type === 'SecureString') return keyId ?? 'alias/aws/ssm';
  if (keyId === undefined) return undefined;
  throw validation('KeyId is only valid for parameters of type SecureString.');
}

function checkOverwrite(
  existing: Parameter | undefined,
  { overwrite, tagged }: { overwrite: boolean; tagged: boolean },
): void {
  if (overwrite && tagged) {
    throw validation(
      "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove " +
        'overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or ' +
        'RemoveTagsFromResource.',
    );
  }
  if (existing !== undefined && !overwrite) {
    throw new AwsError({
      code: 'ParameterAlreadyExists',
      message:
        'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
    });
  }
}

export const addTagsToResource: SsmOperation = (store, caller, input) => {
  const { place, name, parameter } = own(store, caller, {
    name: text(input, 'ResourceId'),
    action: 'ssm:AddTagsToResource',
  });
  if (text(input, 'ResourceType') !== 'Parameter' || parameter === undefined) {
    throw new AwsError({ code: 'InvalidResourceId', message: '' });
  }
  store.parameters.addTags(place, name, tagsOf(input));
  return {};
};

export const labelParameterVersion: SsmOperation = (store, caller, input) => {
  const wanted = optionalInteger(input, 'ParameterVersion');
  const { parameter, target } = versionOf(store, caller, { input, wanted, action: 'LabelParameterVersion' });
  const labels = labelsOf(input);
  const valid = labels.filter(isLabel);
  if (new Set([...target.labels, ...valid]).size > MAX_LABELS) {
    throw new AwsError({
      code: 'ParameterVersionLabelLimitExceeded',
      message: `A parameter version can have a maximum of ${String(MAX_LABELS)} labels.`,
    });
  }
  moveLabels(parameter.versions, target.version, valid);
  return { InvalidLabels: labels.filter((label) => !isLabel(label)), ParameterVersion: target.version };
};

/** A label that the version does not have is invalid, and no error. */
export const unlabelParameterVersion: SsmOperation = (store, caller, input) => {
  const wanted = integer(input, 'ParameterVersion');
  const { target } = versionOf(store, caller, { input, wanted, action: 'UnlabelParameterVersion' });
  const labels = labelsOf(input);
  const removed = labels.filter((label) => target.labels.delete(label));
  return { RemovedLabels: removed, InvalidLabels: labels.filter((label) => !removed.includes(label)) };
};

function versionOf(
  store: SsmStore,
  caller: Caller,
  asked: { readonly input: JsonRecord; readonly wanted: number | undefined; readonly action: string },
): { parameter: Parameter; target: ParameterVersion } {
  const { parameter } = own(store, caller, {
    name: text(asked.input, 'Name'),
    action: `ssm:${asked.action}`,
  });
  if (parameter === undefined) throw parameterNotFound();
  const wanted = asked.wanted ?? parameter.versions.at(-1)?.version;
  const target = parameter.versions.find(({ version }) => version === wanted);
  if (target !== undefined) return { parameter, target };
  throw new AwsError({
    code: 'ParameterVersionNotFound',
    message: `Systems Manager could not find version ${String(wanted)} of ${parameter.name}. Verify the version and try again.`,
  });
}

/** Source: ParameterLabelList: 1 to 10 items. */
function labelsOf(input: JsonRecord): readonly string[] {
  const labels = texts(input, 'Labels');
  if (labels.length >= 1 && labels.length <= MAX_LABELS) return labels;
  const bound = labels.length < 1 ? 'greater than or equal to 1' : 'less than or equal to 10';
  throw validation(constraintMessage('labels', `[${labels.join(', ')}]`, `Member must have length ${bound}`));
}

/** Source: "Labeling parameters". */
function isLabel(label: string): boolean {
  return /^[A-Za-z_.-][\w.-]{0,99}$/.test(label) && !/^(aws|ssm)/i.test(label);
}

export const deleteParameter: SsmOperation = (store, caller, input) => {
  const { place, name, parameter } = own(store, caller, {
    name: text(input, 'Name'),
    action: 'ssm:DeleteParameter',
  });
  if (parameter === undefined) throw parameterNotFound();
  store.parameters.delete(place, name);
  return {};
};

/** These operations only know the caller's own parameters. */
function own(
  { parameters }: SsmStore,
  caller: Caller,
  { name, action }: { name: string; action: string },
): { place: { account: string; region: string }; name: string; parameter: Parameter | undefined } {
  const place = placeOf(caller);
  requirePermission(caller, action, parameterArn(place, name));
  return { place, name, parameter: parameters.find(place, name) };
}

function accessDenied(message: string): AwsError {
  return new AwsError({ code: 'AccessDeniedException', message });
}
