/** Keys and credentials for a host and not a job: read with the credentials of the machine; keys are opened, too. */
import type { KeyLine } from '../keys/key-line.ts';
import type { Secret } from '../secrets/source.ts';
import { hostCredentialsHint } from '../aws/credentials-hint.ts';
import { readSecrets, type ReadOptions, type Wanted } from './read-secrets.ts';
import { openKey, type LoadedKey } from './stored-key.ts';

export { warnOfPlainText } from './stored-key.ts';

export interface HostKeys {
  readonly keys: readonly KeyLine[];
  /** None: the keys' own, AWS_REGION, or the machine's. */
  readonly region: string | undefined;
  /** ARNs, assumed one from the other; the first with what the default credential chain finds. None: that alone. */
  readonly roles: readonly string[];
  readonly timeoutSeconds: number;
}

/** The name that CloudTrail shows for the session of a role. */
const sessionName = 'ssm-ssh';
/** Seconds; the least that there is. The session is used at once, and thrown away. */
const sessionDuration = 900;
const maxAttempts = 3;

type Options = Omit<ReadOptions, 'missing'>;

/** @throws what reading and opening throw, all of the catalogue */
export async function readHostKeys(wanted: HostKeys, options: Options): Promise<LoadedKey[]> {
  const secrets = await readHostSecrets(wanted, options);
  return await Promise.all(wanted.keys.map((line) => openKey(line, secrets, options.voice)));
}

/** What is stored at every reference, in their order. */
export async function readHostSecrets(
  { keys, region, roles, timeoutSeconds }: HostKeys,
  options: Options,
): Promise<Secret[]> {
  const { env } = options;
  const missing = {
    region:
      "set ssm.region in git's configuration, SSM_SSH_REGION or AWS_REGION, or write the ARN of the key",
    credentials: hostCredentialsHint(env),
  };
  const known = region ?? (env['AWS_REGION'] || env['AWS_DEFAULT_REGION']);
  const wanted: Wanted = {
    keys,
    regions: known ? [known] : [],
    role: roleOf(roles),
    allowedAccounts: [],
    ...{ maxAttempts, timeoutSeconds },
  };
  return await readSecrets(wanted, { ...options, missing });
}

function roleOf(roles: readonly string[]): Wanted['role'] {
  const arn = roles.at(-1);
  if (arn === undefined) return undefined;
  return {
    ...{ arn, through: roles.slice(0, -1), sessionName, durationSeconds: sessionDuration },
    ...{ audience: undefined, externalId: undefined, policy: 'none' },
  };
}
