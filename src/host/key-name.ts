/** The name of a key, and the variables that it depends on. Pure. */
import { createHash } from 'node:crypto';
import type { Environment, HostSettings } from './settings.ts';
import type { ChosenKey } from './signing-settings.ts';

/** Of the later versions. A key has its name of earlier versions as long as none of them is set. */
const laterSurroundings = [
  ...['AWS_USE_FIPS_ENDPOINT', 'AWS_USE_DUALSTACK_ENDPOINT', 'AWS_EC2_METADATA_DISABLED'],
  ...['AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE', 'AWS_ENDPOINT_URL_SSO', 'AWS_ENDPOINT_URL_SSO_OIDC'],
  ...['AWS_ENDPOINT_URL_SIGNIN', 'AWS_LOGIN_CACHE_DIRECTORY'],
] as const;

/** The variables that change the choice of the key, or how it is read. helper/ssm-ssh-host.sh has the same list. */
export const surroundings = [
  ...[
    'HOME',
    'SSM_SSH_KEY',
    'SSM_SSH_PASSPHRASE',
    'SSM_SSH_CERTIFICATE',
    'SSM_SSH_REGION',
    'SSM_SSH_ROLE_ARN',
  ],
  ...['SSM_SSH_KEY_LIFETIME', 'SSM_SSH_KNOWN_HOSTS', 'SSM_SSH_STRICT_HOST_KEY_CHECKING', 'SSM_SSH_TIMEOUT'],
  ...['SSM_SSH_VIA', 'SSM_SSH_EC2_REMOTES', 'GIT_CONFIG_COUNT', 'GIT_CONFIG_PARAMETERS'],
  ...[
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
    'AWS_PROFILE',
    'AWS_ROLE_ARN',
    'AWS_ACCESS_KEY_ID',
    'AWS_CONFIG_FILE',
  ],
  ...['AWS_SHARED_CREDENTIALS_FILE', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'],
  ...['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_SSM'],
  ...['AWS_ENDPOINT_URL_SECRETS_MANAGER', 'AWS_ENDPOINT_URL_KMS', 'AWS_ENDPOINT_URL_STS'],
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  ...['AWS_EC2_METADATA_SERVICE_ENDPOINT', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE', 'SSM_SSH_CACHE'],
  ...laterSurroundings,
] as const;

interface Surroundings {
  readonly env: Environment;
  readonly awsFiles: readonly string[];
  readonly knownHosts: string;
  /** The agent in front signs only for the hosts of the section. */
  readonly section: string | undefined;
}

/** The id of an access key stands for the secret key. */
export function nameOf(
  { reference, passphrase, certificate, signs, options }: ChosenKey,
  place: HostSettings,
  { env, awsFiles, knownHosts, section }: Surroundings,
): string {
  const region = place.region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION']);
  const later: readonly string[] = laterSurroundings;
  const caller = surroundings.filter(
    (name) => name.startsWith('AWS_') && !name.endsWith('REGION') && !later.includes(name),
  );
  const parts = [
    ...[reference, passphrase, certificate, region, place.roles, awsFiles.length > 0 ? awsFiles : undefined],
    caller.map((name) => env[name]),
    ...(place.cache === undefined ? [] : [place.cache]),
    ...later.flatMap((name) => (env[name] ? [[name, env[name]]] : [])),
    // The AWS SDK looks there for ~.
    ...(caller.some((name) => name.endsWith('_FILE') && env[name]?.startsWith('~/'))
      ? [{ home: env['HOME'] }]
      : []),
    ...(signs ? [[...options], knownHosts, env['HOME'], section] : []),
  ];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
