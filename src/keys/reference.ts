/** The grammar of references that name stored values: parameters and secrets. key-reference.ts adds other keys. Pure. */
import { Failure } from '../errors.ts';
import { looksSecret } from './secret-text.ts';

/** What can be read from a store. */
export type Reference = ParameterReference | SecretReference;

interface Named {
  /** The user's text, for messages. */
  readonly text: string;
  /** The name or the whole ARN for AWS, without the version and other parts. */
  readonly name: string;
  /** From the ARN; absent for a name. */
  readonly location?: Location;
}

/** A parameter of Systems Manager Parameter Store. */
export interface ParameterReference extends Named {
  readonly kind: 'parameter';
  /** Empty for the latest version; otherwise `:` and a version number or a label, as in GetParameters. */
  readonly selector: string;
}

/** A secret of Secrets Manager. Omitted parts are empty. */
export interface SecretReference extends Named {
  readonly kind: 'secret';
  /** Empty: the whole value. */
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

/** `arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME`. A name without a slash gets one in its ARN. */
const parameterArn = /^arn:(aws[a-z-]*):ssm:([a-z0-9-]+):(\d{12}):parameter(\/[^:]*)$/;
/** In an ARN, six random characters follow the name. AWS allows callers to omit them. */
const secretArn = /^arn:(aws[a-z-]*):secretsmanager:([a-z0-9-]+):(\d{12}):secret:([^:]+)$/;
const randomSuffix = /-[A-Za-z0-9]{6}$/;
const nameCharacters = /^[A-Za-z0-9_.\-/]+$/;
/** The characters listed in Secrets Manager's error message. */
const secretNameCharacters = /^[A-Za-z0-9/_+=.@!-]+$/;
const label = /^(?!\d|aws|ssm)[A-Za-z0-9_.-]{1,100}$/i;
const version = /^[1-9]\d{0,18}$/;

const grammar =
  'write /name, /name:version, /name:label, secretsmanager:name[:json-key], or the ARN of a parameter or a secret';
const secretGrammar = 'write secretsmanager:NAME[:json-key[:version-stage[:version-id]]]';

/** Words that stand before keys outside of the stores. They take precedence over a parameter of that name. */
const otherKind = /^(?:(?:arn:[^:]*:)?(kms)|(new)):/;

/** `kms` for a key in KMS, `new` for a key to make; undefined for what is stored. */
export function otherKindOf(text: string): 'kms' | 'new' | undefined {
  const [, kms, made] = otherKind.exec(text) ?? [];
  return (kms ?? made) as 'kms' | 'new' | undefined;
}

/**
 * For callers that need a stored value. A key in KMS, or one to make, is refused.
 *
 * @throws INPUT_INVALID
 * @source Systems Manager User Guide, "Creating parameters" (names) and "Working with parameter labels"; for the parts
 *   after a secret's name, ECS Developer Guide, "Pass Secrets Manager secrets through environment variables"
 */
export function parseReference(text: string): Reference {
  if (looksSecret(text)) {
    throw new Failure('INPUT_INVALID', 'this looks like a secret instead of the name of one', {
      hint: `store it and write its name here: ${grammar}`,
    });
  }
  const other = otherKindOf(text);
  if (other !== undefined) throw notStored(text, other);
  if (text.startsWith('secretsmanager:')) return parseSecret(text.slice('secretsmanager:'.length), text);
  if (/^arn:[^:]*:secretsmanager:/.test(text)) return parseSecret(text, text);
  return parseParameter(text.startsWith('ssm:') ? text.slice('ssm:'.length) : text, text);
}

/** The ARN for IAM policies, without the selector. `location` is for references that are not ARNs. */
export function arnOf(reference: Reference, location: Location): string {
  const { kind, name } = reference;
  const { partition, region, account } = location;
  if (kind === 'secret') {
    const arn = reference.location
      ? name
      : `arn:${partition}:secretsmanager:${region}:${account}:secret:${name}`;
    // The six random characters of a plain name are unknown, even if its end looks like them.
    return reference.location && randomSuffix.test(name) ? arn : `${arn}-??????`;
  }
  if (reference.location) return name;
  return `arn:${partition}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

/** Equal for references to the same value, however they are written. */
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
    throw badReference(
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
    throw badReference(
      text,
      `has ":${selector.join(':')}" after its name, which is neither a version nor a label`,
      grammar,
    );
  }
  return [parts.slice(0, colons + 1).join(':'), `:${only}`];
}

function checkName(name: string, text: string): void {
  if (name === '') throw badReference(text, 'has no name', grammar);
  if (!nameCharacters.test(name)) {
    throw badReference(
      text,
      'has characters that are not allowed in a parameter name',
      'names are letters, digits and . - _ /',
    );
  }
  if (name.includes('/') && !name.startsWith('/')) {
    throw badReference(text, 'is a path without a slash at its start', `write /${name}`);
  }
  if (name.endsWith('/') || name.includes('//'))
    throw badReference(text, 'has an empty part between slashes', grammar);
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
    throw badReference(
      text,
      'has more than a JSON key, a stage and a version id after its name',
      secretGrammar,
    );
  }
  checkSelected(selected, text);
  return { kind: 'secret', text, name: resource, ...selected, ...(location && { location }) };
}

function locateSecret(resource: string, text: string): Location {
  const [, partition, region, account] = secretArn.exec(resource) ?? [];
  if (partition && region && account) return { partition, region, account };
  throw badReference(
    text,
    'is not the ARN of a secret',
    'write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX, as aws secretsmanager describe-secret shows it',
  );
}

/** @source Secrets Manager API Reference, CreateSecret, `Name`; an ARN adds a hyphen and six characters */
function checkSecretName(name: string, text: string): void {
  if (name === '') throw badReference(text, 'has no name', secretGrammar);
  if (!secretNameCharacters.test(name)) {
    throw badReference(
      text,
      'has characters that are not allowed in a secret name',
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
    throw badReference(text, 'has white space or control characters after its name', secretGrammar);
  }
  if (versionStage.length > 256) {
    throw tooLong(text, '256', 'version stage');
  }
  if (versionId !== '' && (versionId.length < 32 || versionId.length > 64)) {
    throw badReference(
      text,
      `has ":${versionId}" instead of a version id, which has 32 to 64 characters`,
      `${secretGrammar}; aws secretsmanager list-secret-version-ids shows the ids`,
    );
  }
}

function notStored(text: string, kind: 'kms' | 'new'): Failure {
  return badReference(
    text,
    kind === 'kms'
      ? 'names a key in KMS, but a value that can be read is needed here'
      : 'stands for a key that is made in memory, but a stored value is needed here',
    `write the name of a parameter or a secret: /NAME or secretsmanager:NAME; a parameter that is called ${kind} is ssm:${kind}:VERSION`,
  );
}

function tooLong(text: string, limit: string, of = 'name'): Failure {
  return badReference(
    `${text.slice(0, 40)}…`,
    `is longer than ${limit} characters, the limit of a ${of}`,
    grammar,
  );
}

/** @param problem follows the reference */
export function badReference(text: string, problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', `the key reference "${text}" ${problem}`, { hint });
}
