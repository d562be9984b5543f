/** The name under which a key is stored: a reference without a version, and the limits of its store. Pure. */
import { Failure } from '../errors.ts';
import { partitionOf } from './partition.ts';
import { parseReference, type ParameterReference, type Reference } from './reference.ts';

export type Tier = 'Standard' | 'Advanced' | 'Intelligent-Tiering';

/**
 * @param secret whether a bare name is a secret's (`--secretsmanager`)
 * @throws INPUT_INVALID
 * @source Systems Manager API Reference, PutParameter, `Name`
 */
export function parseStorageName(text: string, { secret }: { readonly secret: boolean }): Reference {
  const other = /^(?:arn:[^:]*:)?(kms|new):/.exec(text)?.[1];
  if (other === 'kms') {
    throw invalid(
      `"${text}" names a key in KMS, where no value is stored`,
      'write the name of a parameter (/ci/deploy-key) or a secret (secretsmanager:ci/deploy)',
    );
  }
  if (other === 'new') {
    throw invalid(
      `"${text}" stands for a key that is not stored`,
      'write the name under which the key is stored: /ci/deploy-key',
    );
  }
  const isParameter = /^(ssm:|arn:[^:]*:ssm:)/.test(text);
  if (secret && isParameter) {
    throw invalid(
      `"${text}" names a parameter, and --secretsmanager stores a secret`,
      'leave out --secretsmanager, or write the name of a secret: secretsmanager:ci/deploy',
    );
  }
  const isSecret = /^(secretsmanager:|arn:[^:]*:secretsmanager:)/.test(text);
  const reference = parseReference(secret && !isSecret ? `secretsmanager:${text}` : text);
  checkUnversioned(reference);
  if (reference.kind === 'parameter') checkParameterName(reference);
  return reference;
}

/** The name of a parameter without the rest of its ARN: the form that PutParameter takes. */
export function parameterName({ name, location }: ParameterReference): string {
  if (!location) return name;
  const path = name.replace(/^arn:.*:parameter\//, '');
  return path.includes('/') ? `/${path}` : path;
}

/**
 * The name for people, without an account id: it becomes the comment of a public key.
 *
 * @returns `/ci/deploy-key`, `ci/deploy`
 */
export function shownName(reference: Reference): string {
  if (reference.kind === 'parameter') return parameterName(reference);
  const name = reference.name.replace(/^arn:.*:secret:/, '');
  return reference.location ? name.replace(/-[A-Za-z0-9]{6}$/, '') : name;
}

/** Bytes. @source Systems Manager User Guide, "Managing parameter tiers"; Secrets Manager User Guide, "Quotas" */
const mostBytes = { Standard: 4096, Advanced: 8192, secret: 65_536 } as const;

/** @throws INPUT_INVALID if the value is larger than its store allows */
export function checkSize(text: string, reference: Reference, tier: Tier): void {
  const size = Buffer.byteLength(text);
  const store = reference.kind === 'secret' ? 'secret' : tier === 'Standard' ? tier : 'Advanced';
  const most = mostBytes[store];
  if (size <= most) return;
  const holder = { Standard: 'a standard parameter', Advanced: 'a parameter', secret: 'a secret' }[store];
  const hint = {
    Standard: 'leave out --tier, or write --tier advanced: it holds 8,192 bytes',
    Advanced: 'store it as a secret, which holds 65,536 bytes: --secretsmanager',
    secret: 'make a smaller key, for example ssm-ssh-agent keygen NAME --type ed25519',
  }[store];
  throw invalid(`the value for ${reference.text} has ${size} bytes, and ${holder} holds ${most}`, hint);
}

/** PutParameter's limit counts the ARN, whose length depends on the Region. @throws INPUT_INVALID */
export function checkArnLength(reference: ParameterReference, region: string, account: string): void {
  const length = parameterArn(parameterName(reference), region, account).length;
  if (length <= 1011) return;
  throw invalid(
    `the ARN of the parameter ${reference.text.slice(0, 40)}… would have ${length} characters in ${region}, and Parameter Store allows 1,011`,
    'write a shorter name',
  );
}

export function parameterArn(name: string, region: string, account: string): string {
  return `arn:${partitionOf(region)}:ssm:${region}:${account}:parameter/${name.replace(/^\//, '')}`;
}

function checkUnversioned(reference: Reference): void {
  const { kind, text } = reference;
  const version =
    kind === 'parameter' ? reference.selector : `${reference.versionStage}${reference.versionId}`;
  if (version === '') return;
  const name = kind === 'parameter' ? text.slice(0, -version.length) : text.split(':').slice(0, -1).join(':');
  throw invalid(
    `"${text}" names one version, and a new key becomes a new version`,
    kind === 'parameter'
      ? `write ${name}`
      : 'write only the name of the secret, and its JSON key if it has one',
  );
}

/** @source Systems Manager User Guide, "Requirements and constraints for parameter names" */
function checkParameterName(reference: ParameterReference): void {
  const { text, location } = reference;
  const name = parameterName(reference);
  if (location && !name.includes('/')) {
    throw invalid(
      `"${text}" is the ARN of the name ${name} as well as of /${name}`,
      `write the name itself with --region ${location.region}: /${name}, or ${name} where it has no slash`,
    );
  }
  const [, reserved] = /^\/?(aws|ssm)/i.exec(name) ?? [];
  if (reserved !== undefined) {
    throw invalid(
      `the name of the parameter "${text}" begins with "${reserved}", which AWS keeps for itself`,
      'write another name, for example /ci/deploy-key',
    );
  }
  const levels = name.split('/').filter(Boolean).length;
  if (levels > 15) {
    throw invalid(
      `the name of the parameter "${text}" has ${levels} levels, and Parameter Store allows 15`,
      'write a name with fewer slashes',
    );
  }
}

function invalid(problem: string, hint: string): Failure {
  return new Failure('INPUT_INVALID', problem, { hint });
}
