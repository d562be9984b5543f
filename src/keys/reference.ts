/** The grammar of key references: how a user names a parameter or a secret. Pure. */
import { Failure } from '../errors.ts';
import { looksSecret } from './secret-text.ts';

export type Reference = ParameterReference | SecretReference;

interface Named {
  /** What the user wrote; it is what messages repeat. */
  readonly text: string;
  /** What AWS is asked for, without what selects a version or a part: a name, or an ARN whole. */
  readonly name: string;
  /** Where the ARN says that it is; absent for a name. */
  readonly location?: Location;
}

/** A parameter of Systems Manager Parameter Store. */
export interface ParameterReference extends Named {
  readonly kind: 'parameter';
  /** Empty for the latest version, else `:` and a version number or a label, as GetParameters writes it. */
  readonly selector: string;
}

/** A secret of Secrets Manager. Parts that were left out are empty. */
export interface SecretReference extends Named {
  readonly kind: 'secret';
  /** Empty: the secret's value whole. */
  readonly jsonKey: string;
  /** Empty: AWSCURRENT, or the stage of the version id. */
  readonly versionStage: string;
  readonly versionId: string;
}

export interface Location {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** `arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME`; a name without a slash has one in front there too. */
const parameterArn = /^arn:(aws[a-z-]*):ssm:([a-z0-9-]+):(\d{12}):parameter(\/[^:]*)$/;
/** The name has six random characters behind it, which AWS lets the caller leave out. */
const secretArn = /^arn:(aws[a-z-]*):secretsmanager:([a-z0-9-]+):(\d{12}):secret:([^:]+)$/;
const randomSuffix = /-[A-Za-z0-9]{6}$/;
const nameCharacters = /^[A-Za-z0-9_.\-/]+$/;
/** As Secrets Manager's own refusal lists them. */
const secretNameCharacters = /^[A-Za-z0-9/_+=.@!-]+$/;
const label = /^(?!\d|aws|ssm)[A-Za-z0-9_.-]{1,100}$/i;
const version = /^[1-9]\d{0,18}$/;

const grammar =
  'write /name, /name:version, /name:label, secretsmanager:name[:json-key], or the ARN of a parameter or a secret';
const secretGrammar = 'write secretsmanager:NAME[:json-key[:version-stage[:version-id]]]';

/**
 * @throws INPUT_INVALID
 * @source Systems Manager User Guide, "Creating parameters" (names) and "Working with parameter labels"; for the parts
 * behind a secret's name, ECS Developer Guide, "Pass Secrets Manager secrets through environment variables"
 */
export function parseReference(text: string): Reference {
  if (looksSecret(text)) {
    throw new Failure('INPUT_INVALID', 'this looks like a secret, where the name of one belongs', {
      hint: `store it, and write its name here: ${grammar}`,
    });
  }
  if (text.startsWith('secretsmanager:')) return parseSecret(text.slice('secretsmanager:'.length), text);
  if (/^arn:[^:]*:secretsmanager:/.test(text)) return parseSecret(text, text);
  return parseParameter(text.startsWith('ssm:') ? text.slice('ssm:'.length) : text, text);
}

/** The ARN that IAM matches policies on: without the selector. `location` answers what a bare name leaves open. */
export function arnOf(reference: Reference, location: Location): string {
  const { kind, name } = reference;
  const { partition, region, account } = location;
  if (kind === 'secret') {
    const arn = reference.location
      ? name
      : `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}`;
    // The six random characters of a bare name are not known, even where its end looks like them.
    return reference.location && randomSuffix.test(name) ? arn : `${arn}-??????`;
  }
  if (reference.location) return name;
  return `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

/** Equal for references to the same text, however they were written. */
export function identityOf(reference: Reference): string {
  if (reference.kind === 'parameter') return reference.name + reference.selector;
  const { name, jsonKey, versionStage, versionId } = reference;
  return [name.replace(/^(?!arn:)/, 'secretsmanager:'), jsonKey, versionStage, versionId].join(':');
}

function parseParameter(bare: string, text: string): ParameterReference {
  const [resource, selector] = splitSelector(bare, text);
  if (!resource.startsWith('arn:')) {
    checkName(resource, text);
    return { kind: 'parameter', text, name: resource, selector };
  }
  const [, partition, region, account, name] = parameterArn.exec(resource) ?? [];
  if (!partition || !region || !account || !name) {
    throw invalid(
      text,
      'is not the ARN of a parameter or a secret',
      'write arn:aws:ssm:REGION:ACCOUNT:parameter/NAME or arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX',
    );
  }
  checkName(name, text);
  return { kind: 'parameter', text, name: resource, selector, location: { partition, region, account } };
}

function splitSelector(bare: string, text: string): [resource: string, selector: string] {
  const colons = bare.startsWith('arn:') ? 5 : 0;
  const parts = bare.split(':');
  const selector = parts.slice(colons + 1);
  if (selector.length === 0) return [bare, ''];
  const [only = ''] = selector;
  if (selector.length > 1 || !(version.test(only) || label.test(only))) {
    throw invalid(
      text,
      `has ":${selector.join(':')}" behind its name, which is no version and no label`,
      grammar,
    );
  }
  return [parts.slice(0, colons + 1).join(':'), `:${only}`];
}

function checkName(name: string, text: string): void {
  if (name === '') throw invalid(text, 'has no name', grammar);
  if (!nameCharacters.test(name)) {
    throw invalid(
      text,
      'has characters that a parameter name cannot have',
      'names are letters, digits and . - _ /',
    );
  }
  if (name.includes('/') && !name.startsWith('/')) {
    throw invalid(text, 'is a path without its first slash', `write /${name}`);
  }
  if (name.endsWith('/') || name.includes('//'))
    throw invalid(text, 'has an empty part between slashes', grammar);
  if (name.length > 1011) throw tooLong(text, '1,011');
}

function parseSecret(bare: string, text: string): SecretReference {
  const parts = bare.split(':');
  const nameParts = bare.startsWith('arn:') ? 7 : 1;
  const resource = parts.slice(0, nameParts).join(':');
  const [jsonKey = '', versionStage = '', versionId = '', ...more] = parts.slice(nameParts);
  const selected = { jsonKey, versionStage, versionId };
  const location = bare.startsWith('arn:') ? locateSecret(resource, text) : undefined;
  checkSecretName(parts[nameParts - 1] ?? '', text);
  if (more.length > 0) {
    throw invalid(text, 'has more than a JSON key, a stage and a version id behind its name', secretGrammar);
  }
  checkSelected(selected, text);
  return { kind: 'secret', text, name: resource, ...selected, ...(location && { location }) };
}

function locateSecret(resource: string, text: string): Location {
  const [, partition, region, account] = secretArn.exec(resource) ?? [];
  if (partition && region && account) return { partition, region, account };
  throw invalid(
    text,
    'is not the ARN of a secret',
    'write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX, as aws secretsmanager describe-secret shows it',
  );
}

/** @source Secrets Manager API Reference, CreateSecret, `Name`; an ARN has a hyphen and six characters more */
function checkSecretName(name: string, text: string): void {
  if (name === '') throw invalid(text, 'has no name', secretGrammar);
  if (!secretNameCharacters.test(name)) {
    throw invalid(
      text,
      'has characters that the name of a secret cannot have',
      'names are letters, digits and / _ + = . @ ! -',
    );
  }
  if (name.length > 519) throw tooLong(text, '512');
}

/** @source Secrets Manager API Reference, GetSecretValue, `VersionStage` and `VersionId` */
function checkSelected(
  { jsonKey, versionStage, versionId }: Pick<SecretReference, 'jsonKey' | 'versionStage' | 'versionId'>,
  text: string,
): void {
  if (!/^[^\s\p{C}]*$/u.test(jsonKey + versionStage + versionId)) {
    throw invalid(text, 'has white space or control characters behind its name', secretGrammar);
  }
  if (versionStage.length > 256) {
    throw tooLong(text, '256', 'version stage');
  }
  if (versionId !== '' && (versionId.length < 32 || versionId.length > 64)) {
    throw invalid(
      text,
      `has ":${versionId}" in the place of a version id, which has 32 to 64 characters`,
      `${secretGrammar}; aws secretsmanager list-secret-version-ids shows the ids`,
    );
  }
}

function tooLong(text: string, limit: string, of = 'name'): Failure {
  return invalid(`${text.slice(0, 40)}…`, `is longer than the ${limit} characters of a ${of}`, grammar);
}

function invalid(text: string, problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', `the key reference "${text}" ${problem}`, { hint });
}
