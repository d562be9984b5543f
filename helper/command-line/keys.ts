/** Reads keys for a command with the credentials of this host, and describes them. */
import { Failure } from '../../src/errors.ts';
import { visible } from '../../src/keys/visible-text.ts';
import type { StoredKeyLine } from '../../src/keys/key-line.ts';
import type { Host } from '../../src/host/caller.ts';
import type { Voice } from '../../src/host/voice.ts';
import type { LoadedKey } from '../../src/host/open-key.ts';
import type { UsableKey } from '../../src/host/usable-key.ts';
import type { AddedKey } from '../../src/ssh/agent-keys.ts';
import type { Common } from './parse.ts';
import type { Running } from './command.ts';
import type { Account } from './account.ts';

/** Seconds for one region to answer. */
const timeoutSeconds = 30;

export type Speech = Pick<Common, 'quiet' | 'verbose'>;

export async function readKeys(
  keys: readonly StoredKeyLine[],
  how: Account & Speech,
  running: Running,
): Promise<LoadedKey[]> {
  const { cache } = how;
  return await inHost(how, running, async (host, env) => {
    const { readHostKeys } = await import('../../src/host/read-keys.ts');
    return await readHostKeys(
      { keys, ...host, cache },
      { env, signal: running.signal, voice: voiceOf(how, running) },
    );
  });
}

/** Calls AWS as the options of a command say. The work imports what loads the AWS SDK. */
export async function inHost<T>(
  { region, roles, profile }: Account,
  { env: given }: Pick<Running, 'env'>,
  work: (host: Host, env: Running['env']) => Promise<T>,
): Promise<T> {
  const env = profile === undefined ? given : { ...given, AWS_PROFILE: profile };
  try {
    return await work({ region, roles, timeoutSeconds }, env);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'REGION_MISSING') throw error;
    const hint = 'pass --region eu-west-1, set AWS_REGION, or write the ARN of the key';
    throw new Failure(error.code, error.message, { hint, cause: error });
  }
}

/** Prints on standard error. Nothing has to be masked: no message has a secret in it. */
export function voiceOf(
  { quiet, verbose }: Speech,
  running: Pick<Running, 'err'>,
): Record<'info' | 'warn' | 'mask', (text: string) => void> & Pick<Voice, 'debug'> {
  const say = (line: string): void => {
    running.err(`ssm-ssh-agent: ${visible(line)}\n`);
  };
  return {
    info: (line) => {
      if (verbose) say(line);
    },
    ...(verbose && { debug: say }),
    warn: (message) => {
      if (!quiet) running.err(`ssm-ssh-agent: warning: ${visible(message)}\n`);
    },
    mask: () => undefined,
  };
}

/** The key as an agent gets it. */
export function toAdd(key: LoadedKey): AddedKey {
  return { ...key, resource: key.secret.reference.text };
}

/** One line for people. */
export function describeKey({ secret, publicKey, fingerprint }: UsableKey): string {
  const { reference, version } = secret;
  return `${reference.text}${version && ` (version ${version})`}: ${publicKey.type} ${fingerprint}`;
}
