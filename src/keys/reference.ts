/** The grammar of key references: how a user names a parameter. Pure. */
import { Failure } from '../errors.ts';

/** A parameter of Systems Manager Parameter Store, as a user refers to it. */
export interface Reference {
  /** What the user wrote; it is what messages repeat. */
  readonly text: string;
  /** What AWS is asked for, without the selector: a name, or an ARN whole. */
  readonly name: string;
  /** Empty for the latest version, else `:` and a version number or a label, as GetParameters writes it. */
  readonly selector: string;
  /** Where the ARN says that the parameter is; absent for a name. */
  readonly location?: Location;
}

export interface Location {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** `arn:PARTITION:ssm:REGION:ACCOUNT:parameter/NAME`; a name without a slash has one in front there too. */
const parameterArn = /^arn:(aws[a-z-]*):ssm:([a-z0-9-]+):(\d{12}):parameter(\/[^:]*)$/;
const secretForms = /^(secretsmanager:|arn:aws[a-z-]*:secretsmanager:)/;
const nameCharacters = /^[A-Za-z0-9_.\-/]+$/;
const label = /^(?!\d|aws|ssm)[A-Za-z0-9_.-]{1,100}$/i;
const version = /^[1-9]\d{0,18}$/;

const grammar = 'write /name, /name:version, /name:label, or the ARN of a parameter';

/**
 * @throws INPUT_INVALID
 * @source Systems Manager User Guide, "Creating parameters" (names) and "Working with parameter labels"
 */
export function parseReference(text: string): Reference {
  if (secretForms.test(text)) {
    throw invalid(
      text,
      'names a secret of Secrets Manager, which this version does not read',
      'store the key as a SecureString parameter',
    );
  }
  const bare = text.startsWith('ssm:') ? text.slice('ssm:'.length) : text;
  const [resource, selector] = splitSelector(bare, text);
  if (!resource.startsWith('arn:')) {
    checkName(resource, text);
    return { text, name: resource, selector };
  }
  const [, partition, region, account, name] = parameterArn.exec(resource) ?? [];
  if (!partition || !region || !account || !name) {
    throw invalid(text, 'is not the ARN of a parameter', 'write arn:aws:ssm:REGION:ACCOUNT:parameter/NAME');
  }
  checkName(name, text);
  return { text, name: resource, selector, location: { partition, region, account } };
}

/** The ARN that IAM matches policies on: without the selector. `location` answers what a bare name leaves open. */
export function arnOf(reference: Reference, location: Location): string {
  if (reference.location) return reference.name;
  const { partition, region, account } = location;
  return `arn:${partition}:ssm:${region}:${account}:parameter/${reference.name.replace(/^\//, '')}`;
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
  if (name.length > 1011)
    throw invalid(`${text.slice(0, 40)}…`, 'is longer than the 1,011 characters of a name', grammar);
}

function invalid(text: string, problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', `the key reference "${text}" ${problem}`, { hint });
}
